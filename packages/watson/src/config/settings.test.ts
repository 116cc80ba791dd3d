import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ConfigError, type DaemonInput, formatProblem } from "@datawire/runtime";
import { etcdCertificates } from "@datawire/runtime/testing";
import { afterEach, beforeEach, expect, test } from "vitest";
import { loadWatsonSettings, type WatsonSettings } from "./settings.ts";

const TOKEN = `dw1_${"a".repeat(43)}`;

let folder = "";
beforeEach(async () => void (folder = await mkdtemp(join(tmpdir(), "watson-settings-"))));
afterEach(() => rm(folder, { recursive: true }));

function load(over: Partial<DaemonInput> = {}): Promise<WatsonSettings> {
  const { env, ...input } = over;
  return loadWatsonSettings({
    config: undefined,
    directories: ["//services/directory"],
    options: {},
    args: [],
    ...input,
    env: { XDG_CONFIG_HOME: folder, XDG_STATE_HOME: folder, ...env },
  });
}

async function loadFile(text: string, over: Partial<DaemonInput> = {}): Promise<WatsonSettings> {
  const config = join(folder, "watson.yaml");
  await writeFile(config, text);
  return load({ config, directories: [], ...over });
}

async function failure(loading: Promise<unknown>): Promise<string> {
  const error: unknown = await loading.then(
    () => "it loaded",
    (cause: unknown) => cause,
  );
  if (error instanceof ConfigError) return error.problems.map(formatProblem).join("\n");
  return error instanceof Error ? error.message : String(error);
}

test("loadWatsonSettings() has the defaults of the contract", async () => {
  const settings = await load();
  expect(settings).toMatchObject({
    directories: [[{ host: "services", port: 5430, tls: null }]],
    services: ["/etc/datawire.d"],
    single: null,
    host: null,
    allowExec: false,
    admin: { host: "127.0.0.1", port: 5431 },
  });
});

test("loadWatsonSettings() uses the directory of this machine when it is told none", async () => {
  const told = { directories: [[{ host: "localhost", port: 5430, tls: null }]], isDirectoryGiven: false };
  expect(await load({ directories: [] })).toMatchObject(told);
  expect(await loadFile("services: [a.yaml]", { env: { DATAWIRE_DIRECTORY: "" } })).toMatchObject(told);
  expect(await load()).toMatchObject({ isDirectoryGiven: true });
});

test("loadWatsonSettings() reads directories, nested lists as replicas, and paths from its own folder", async () => {
  const settings = await loadFile(
    "directories: [//a/directory, [wss://b:1, wss://c:2]]\nservices: [more/, /etc/x/*.yaml]\nadmin: off\nhost: VM101",
  );
  expect(settings.directories.map((replicas) => replicas.map(({ host }) => host))).toEqual([["a"], ["b", "c"]]);
  expect(settings.services).toEqual([join(folder, "more"), "/etc/x/*.yaml"]);
  expect(settings).toMatchObject({ admin: null, host: "vm101" });
});

test("loadWatsonSettings() takes directories and the token from the environment", async () => {
  const settings = await load({
    directories: [],
    env: { DATAWIRE_DIRECTORY: "//a/directory, //b/directory", DATAWIRE_TOKEN: TOKEN },
  });
  expect(settings.directories).toHaveLength(2);
  expect(settings.token).toBe(TOKEN);
});

test("loadWatsonSettings() reads the token and certificates from files", async () => {
  await mkdir(join(folder, "tls"));
  await Promise.all([
    writeFile(join(folder, "token"), `${TOKEN}\n`, { mode: 0o600 }),
    writeFile(join(folder, "tls/ca.pem"), etcdCertificates.authority),
  ]);
  const text = `directories: //a/directory\ntoken_file: ${folder}/token\ntls: { ca: ${folder}/tls/ca.pem }`;
  expect(await loadFile(text)).toMatchObject({
    token: TOKEN,
    tls: { ca: etcdCertificates.authority, cert: null, key: null },
  });
});

test.each([
  ["directories: []", "watson.yaml:1:14: directories is an empty list: wanted one address or more"],
  ["directories: [[]]", "watson.yaml:1:15: directories[0] is an empty list"],
  ["directories: [//a/directory, ws://a:5430]", "the directory a:5430 is there twice"],
  ["directories: [foo]", 'Cannot read directory address "foo"'],
  ["directory: //a/directory", "watson.yaml:1:1: directory is not a known key: did you mean directories?"],
  ["directories: //a/directory\ntoken_file: /none", 'watson.yaml:2:13: token_file is "/none": Cannot read the file'],
  ["directories: //a/directory\ntls: { cert: /none }", "tls.cert and tls.key go together"],
  ["directories: //a/directory\nadmin: 5431", "admin"],
])("loadWatsonSettings() refuses %o", async (text, expected) => {
  expect(await failure(loadFile(text))).toContain(expected);
});

test("loadWatsonSettings() reads a single service, without a folder or an admin port", async () => {
  const settings = await load({ args: ["//services/emitter(2)", "http://vm101/emitter", "5"] });
  expect(settings).toMatchObject({ services: [], admin: null });
  expect(settings.single).toMatchObject({
    key: "emitter@vm101-80",
    version: "2",
    directory: "services:5430",
    checks: [{ intervalMs: 5_000, probe: { url: "http://vm101/emitter/liveness_check" } }],
  });
});

test("loadWatsonSettings() gives a single service no admin port that a file names", async () => {
  const args = ["//emitter", "http://vm101/emitter"];
  expect(await loadFile("directories: //a/directory\nadmin: 127.0.0.1:5431", { args })).toMatchObject({ admin: null });
});

test("loadWatsonSettings() gives a single service what its flags say", async () => {
  const options = { instance: "one", drain: "2s", admin: "127.0.0.1:9" };
  const settings = await load({ args: ["//pg", "tcp://vm101:5432"], options });
  expect(settings.single).toMatchObject({ key: "pg@one", drainMs: 2_000, protocol: "tcp" });
  expect(settings.admin).toEqual({ host: "127.0.0.1", port: 9 });
});

test.each([
  [["emitter", "http://x"], {}, 'service: Cannot read address "emitter"'],
  [["//emitter"], {}, "its URL is missing"],
  [["//emitter", "http://x", "3x"], {}, 'PERIOD is "3x": wanted a duration'],
  [["//emitter", "ftp://x"], {}, 'url: Cannot use "ftp://x"'],
  [["//other/emitter", "http://x"], {}, '"other" is none of the directories (in use: services)'],
  [[], { instance: "x" }, "--instance is for a single service"],
  [["//emitter", "http://x"], { services: ["/etc"] }, "Cannot use --services beside ADDRESS URL"],
])("loadWatsonSettings() refuses %o with %o", async (args, options, expected) => {
  const message = await failure(load({ args, options }));
  expect(message).toContain(expected);
});

test("loadWatsonSettings() tells a misused command line before it looks at settings", async () => {
  expect(await failure(load({ args: ["//emitter"], directories: [], config: "/none" }))).toBe(
    'Cannot serve "//emitter": its URL is missing, wanted ADDRESS URL [PERIOD]',
  );
});

test("the sample of watson.yaml is right", async () => {
  const config = join(import.meta.dirname, "../../../../etc/datawire/watson.yaml");
  expect(await load({ config, directories: [] })).toMatchObject({ services: ["/etc/datawire.d"] });
});
