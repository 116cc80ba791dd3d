import { expect, test } from "vitest";
import { refusal, settled, TestLink } from "../testing/links.ts";
import { TestClock } from "../testing/sessions.ts";
import { Registrar } from "./registrar.ts";
import { describeInstance, type RegisterOptions } from "./registration.ts";

const said = (service: string, instance: string, address = "http://127.0.0.1:80") =>
  describeInstance({ service, version: "1", address }, { instance });
const outcome = (promise: Promise<void>) =>
  promise.then(
    () => "done",
    (error: { code: string }) => error.code,
  );

test("Registrar states its whole set on each link, and then what changes, each in one message", async () => {
  const registrar = new Registrar(new TestClock());
  const first = registrar.register(said("barker", "a"));
  const [one, two] = [new TestLink(), new TestLink()];
  registrar.connected(one);
  registrar.register(said("barker", "b"));
  await settled();
  expect(one.take("register")).toMatchObject([{ seq: 0, instances: [{ name: "a", state: "live" }, { name: "b" }] }]);
  registrar.message(one, { type: "registered", seq: 0, refused: [] });
  await first.registered;
  void first.deregister();
  registrar.register(said("barker", "c"));
  await settled();
  expect(one.take("update")).toMatchObject([{ seq: 1, instances: [{ name: "c" }], gone: ["barker@a"] }]);
  registrar.disconnected(one);
  registrar.connected(two);
  await settled();
  expect(two.take("register")).toMatchObject([{ seq: 0, instances: [{ name: "b" }, { name: "c" }] }]);
});

test("Registrar tells of an instance that is registered anew in another version", async () => {
  const registrar = new Registrar(new TestClock());
  const link = new TestLink();
  registrar.connected(link);
  registrar.register(said("barker", "a"));
  await settled();
  const again = describeInstance(
    { service: "barker", version: "2", address: "http://127.0.0.1:80" },
    { instance: "a" },
  );
  registrar.register(again);
  await settled();
  expect(link.take("update")).toMatchObject([{ instances: [{ name: "a", version: "2" }], gone: [] }]);
});

test("Registrar says nothing of instances for a library that registers none", async () => {
  const registrar = new Registrar(new TestClock());
  const link = new TestLink();
  registrar.connected(link);
  await settled();
  expect(link.sent).toEqual([]);
});

test("Registrar rejects what is refused, alone, and tries it again after a lease", async () => {
  const clock = new TestClock();
  const registrar = new Registrar(clock);
  const link = new TestLink();
  registrar.connected(link);
  const [bad, good] = [registrar.register(said("barker", "a")), registrar.register(said("barker", "b"))];
  await settled();
  link.take("register");
  registrar.message(link, {
    type: "registered",
    seq: 0,
    refused: [{ instance: "barker@a", code: "conflict", message: "taken" }],
  });
  expect(await Promise.all([outcome(bad.registered), outcome(good.registered)])).toEqual(["conflict", "done"]);
  clock.advance(15_000);
  await settled();
  expect(link.take("update")).toMatchObject([{ instances: [{ name: "a" }], gone: [] }]);
});

test("Registrar takes a refusal of a whole message for one of all in it, and no other refusal", async () => {
  const registrar = new Registrar(new TestClock());
  const link = new TestLink();
  registrar.connected(link);
  const { registered } = registrar.register(said("barker", "a"));
  await settled();
  registrar.message(link, refusal("permission_denied", "Cannot keep log events: the token lacks the right"));
  registrar.message(
    link,
    refusal("permission_denied", "Cannot register instances of the library shop: it lacks the right"),
  );
  expect(await outcome(registered)).toBe("permission_denied");
});

test("Registrar withdraws everything, and waits for the word of those who are connected alone", async () => {
  const registrar = new Registrar(new TestClock());
  const [gone, link] = [new TestLink(), new TestLink()];
  registrar.connected(gone);
  registrar.connected(link);
  const { registered } = registrar.register(said("barker", "a"));
  await settled();
  let done = false;
  const withdrawn = registrar.withdraw().then(() => (done = true));
  await settled();
  registrar.message(link, { type: "registered", seq: 1, refused: [] });
  await settled();
  expect(done).toBe(false);
  registrar.disconnected(gone);
  await withdrawn;
  expect(await outcome(registered)).toBe("stopped");
  expect(link.take("update")).toMatchObject([{ gone: ["barker@a"] }]);
});

test.each<[string, RegisterOptions, object]>([
  ["http://Host.example.com:8080", {}, { name: "host.example.com-8080", protocol: "http", weight: 100, zone: null }],
  ["https://host", {}, { name: "host-443", url: "https://host" }],
  ["host:8080", {}, { name: "host-8080", url: "http://host:8080" }],
  ["tcp://10.0.0.1:5432", {}, { name: "10.0.0.1-5432", protocol: "tcp" }],
  ["http://h:1/base", {}, { name: expect.stringMatching(/^h-1-[0-9a-f]{8}$/) as string }],
  ["http://[::1]:80", {}, { name: "1-80" }],
  [
    "http://h:1",
    { instance: "own", weight: 3, zone: "east", tags: ["a"] },
    { name: "own", weight: 3, zone: "east", tags: ["a"] },
  ],
])("describeInstance() of %s with %j is %j", (address, options, expected) => {
  expect(describeInstance({ service: "barker", version: null, address }, options)).toMatchObject(expected);
});

test.each<[unknown, unknown, unknown, object]>([
  ["Barker", "1", "http://h:1", {}],
  [undefined, "1", "http://h:1", {}],
  ["barker", "1 2", "http://h:1", {}],
  ["barker", 2, "http://h:1", {}],
  ["barker", "1", "ftp://h", {}],
  ["barker", "1", "", {}],
  ["barker", "1", null, {}],
  ["barker", "1", "http://h:1", { weight: 0 }],
  ["barker", "1", "http://h:1", { weight: 1.5 }],
  ["barker", "1", "http://h:1", { zone: "A B" }],
  ["barker", "1", "http://h:1", { instance: "A B" }],
  ["barker", "1", "http://h:1", { tags: "blue" }],
  ["barker", "1", "http://h:1", { tags: Array.from({ length: 33 }, () => "x") }],
])("describeInstance() refuses %o %o %o %j", (service, version, address, options) => {
  const described = { service, version, address } as { service: string; version: string; address: string };
  expect(() => describeInstance(described, options)).toThrow(
    expect.objectContaining({ code: "invalid_argument" }) as Error,
  );
});
