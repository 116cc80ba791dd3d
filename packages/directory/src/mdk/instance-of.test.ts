import { expect, test } from "vitest";
import { instanceOf } from "./instance-of.ts";

const node = (fields: object = {}) => ({
  id: "n1",
  service: "hello",
  version: "1.0",
  address: "http://127.0.0.1:9999",
  properties: {},
  environment: null,
  ...fields,
});

test.each([
  ["http://127.0.0.1:9999", "127.0.0.1-9999"],
  ["http://127.0.0.1:9999/", "127.0.0.1-9999"],
  ["http://Host.Example.com", "host.example.com-80"],
  ["https://host.example.com/", "host.example.com-443"],
  ["http://[2001:db8::1]:81", "2001-db8--1-81"],
  ["tcp://db.example.com:5432", "db.example.com-5432"],
  ["http://127.0.0.1:9999/base", "127.0.0.1-9999-ea1eab41"],
  ["http://127.0.0.1:9999/base/", "127.0.0.1-9999-ea1eab41"],
  ["http://127.0.0.1:9999/other", "127.0.0.1-9999-0e5e4953"],
])("instanceOf() calls what is at %s %s", (address, name) => {
  expect(instanceOf(node({ address }))).toMatchObject({
    state: "instance",
    registration: { service: "hello", name, url: address, version: "1.0", state: "live", weight: 100 },
  });
});

test("instanceOf() of a host as long as hosts may be gives a name that is none too long", () => {
  const host = `${"a".repeat(60)}.${"b".repeat(60)}.example.com`;
  const reading = instanceOf(node({ address: `http://${host}:65535/base` }));
  expect(reading.state === "instance" && reading.registration.name).toMatch(/^a{60}\..{1,39}-65535-ea1eab41$/);
});

test.each([null, ""])("instanceOf() takes the version %j for none", (version) => {
  expect(instanceOf(node({ version }))).toMatchObject({ registration: { version: null } });
});

test.each([
  ["a service that is no name", { service: "My Service" }, /"My Service" is no name/],
  ["an address that is no URL", { address: "random_1" }, /random_1/],
  ["an address with a query", { address: "http://h:1/?a=1" }, /query/],
  ["an address of another scheme", { address: "ftp://h:1" }, /ftp/],
  ["a version that is none", { version: "1 0" }, /"1 0" is no version/],
])("instanceOf() leaves %s to originals", (_, fields, why) => {
  expect(instanceOf(node(fields))).toEqual({ state: "relayed", why: expect.stringMatching(why) });
});
