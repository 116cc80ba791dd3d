import { expect, onTestFinished, test } from "vitest";
import { MdkError } from "../session/mdk-error.ts";
import { type MdkOptions, readSettings } from "./settings.ts";

const token = `dw1_${"a".repeat(43)}`;
const codeOf = (work: () => unknown): string => {
  try {
    work();
  } catch (error) {
    if (error instanceof MdkError) return `${error.code}: ${error.message}`;
    throw error;
  }
  return "none";
};

test("readSettings() takes an option before its variable, and a variable before the default", () => {
  const variables = {
    DATAWIRE_NAME: "var",
    DATAWIRE_TOKEN: token,
    MDK_ENVIRONMENT: "prod:canary",
    DATAWIRE_DIRECTORY: "//a //b",
  };
  expect(readSettings({ name: "own" }, variables)).toMatchObject({
    name: "own",
    token,
    environment: { name: "canary", fallbackName: "prod" },
    directories: [[{ host: "a" }], [{ host: "b" }]],
    source: { kind: "directory" },
    breaker: { failures: 3, pauseMs: 30_000 },
    experimental: false,
  });
  expect(readSettings({ environment: "other", directories: [["//c", "//d"]] }, variables)).toMatchObject({
    name: "var",
    environment: { name: "other", fallbackName: null },
    directories: [[{ host: "c" }, { host: "d" }]],
  });
  const bare = readSettings({}, { DATAWIRE_TOKEN: "", MDK_EXPERIMENTAL: "1" });
  expect(bare).toMatchObject({ token: null, experimental: true, environment: { name: "sandbox", fallbackName: null } });
  expect(bare.directories).toMatchObject([[{ host: "localhost", port: 5430 }]]);
  expect(bare.name).toMatch(/^[a-z0-9_][a-z0-9._-]*$/);
});

test.each([
  ["ws://localhost:5430/rtp", { host: "localhost", port: 5430, tls: false }],
  ["wss://dir.example.com/rtp", { host: "dir.example.com", port: 443, tls: true }],
  ["ws://10.0.0.1:80/rtp", { host: "10.0.0.1", port: 80, tls: false }],
])("readSettings() finds the directory behind MDK_SERVER_URL=%s", (url, address) => {
  expect(readSettings({}, { MDK_SERVER_URL: url }).directories).toEqual([[address]]);
  expect(readSettings({}, { MDK_SERVER_URL: url, DATAWIRE_DIRECTORY: "//x" }).directories).toMatchObject([
    [{ host: "x" }],
  ]);
});

test("readSettings() takes nodes from a variable", () => {
  const nodes = '[{"service":"barker","version":"1.0","address":"http://a:1"},{"service":"barker","address":"b:2"}]';
  expect(readSettings({}, { MDK_DISCOVERY_SOURCE: `static:nodes=${nodes}` }).source).toEqual({
    kind: "static",
    nodes: [
      { service: "barker", version: "1.0", address: "http://a:1" },
      { service: "barker", version: null, address: "b:2" },
    ],
  });
  expect(readSettings({ source: "synapse:path=/a=b" }, {}).source).toEqual({ kind: "synapse", folder: "/a=b" });
});

test.each<[MdkOptions, RegExp]>([
  [{ name: "Not A Name" }, /invalid_argument.*caller name/],
  [{ directories: [] }, /invalid_argument.*directories/],
  [{ directories: [[]] }, /invalid_argument.*directories/],
  [{ directories: ["ftp://a"] }, /invalid_argument/],
  [{ directories: "//a" as never }, /invalid_argument.*as directories: wanted a list/],
  [{ directories: [[7 as never]] }, /invalid_argument.*directories/],
  [{ propagate: "a" as never }, /invalid_argument.*as propagate: wanted a list/],
  [{ name: 7 as never }, /invalid_argument: Cannot use 7 as name: wanted text/],
  [{ token: {} as never }, /invalid_argument: Cannot use a value of another kind as token: wanted text/],
  [{ zone: null as never }, /invalid_argument.*zone/],
  [{ breaker: 3 as never }, /invalid_argument.*breaker/],
  [{ tls: "ca.pem" as never }, /invalid_argument.*tls/],
  [{ tls: { ca: 7 as never } }, /invalid_argument.*tls\.ca/],
  [{ environment: "a:b:c" }, /invalid_argument.*environment/],
  [{ environment: "A" }, /invalid_argument.*environment/],
  [{ source: "consul:" }, /invalid_argument.*source/],
  [{ source: "static:nodes=x" }, /invalid_argument.*no JSON/],
  [{ source: "static:nodes={}" }, /invalid_argument.*list/],
  [{ source: 'static:nodes=[{"service":"A"}]' }, /invalid_argument.*node 0/],
  [{ source: 'static:nodes=[{"service":"a"}]' }, /invalid_argument.*address/],
  [{ source: 'static:nodes=[{"service":"a","address":"b","version":"1 2"}]' }, /invalid_argument.*version/],
  [{ source: "static:nodes=[null]" }, /invalid_argument.*node 0/],
  [{ zone: "A Zone" }, /invalid_argument.*zone/],
  [{ propagate: ["https://a"] }, /invalid_argument.*propagate/],
  [{ breaker: { failures: -1 } }, /invalid_argument.*failures/],
  [{ breaker: { pauseSeconds: 0 } }, /invalid_argument.*pauseSeconds/],
])("readSettings() refuses %j", (options, reason) => {
  expect(codeOf(() => readSettings(options, {}))).toMatch(reason);
});

test("readSettings() takes a variable for no token that is a text for an original MDK", async () => {
  // Others may warn of something at the same time.
  const warned: string[] = [];
  const listen = ({ message }: Error): void => void warned.push(message);
  process.on("warning", listen);
  onTestFinished(() => void process.off("warning", listen));
  expect(readSettings({}, { DATAWIRE_TOKEN: "unused" }).token).toBeNull();
  await expect.poll(() => warned).toContainEqual(expect.stringMatching(/is no token of a directory/));
  expect(readSettings({ tokenFile: "/a" }, { DATAWIRE_TOKEN: token }).token).toBeNull();
});

test("readSettings() refuses a server URL of another kind", () => {
  expect(codeOf(() => readSettings({}, { MDK_SERVER_URL: "http://a" }))).toMatch(/MDK_SERVER_URL/);
});
