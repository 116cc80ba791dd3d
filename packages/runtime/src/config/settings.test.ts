import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { z } from "zod";
import { exitCodes } from "../errors/exit-codes.ts";
import { check } from "./issue-message.ts";
import { ConfigError, formatPlace, type Problem } from "./problem.ts";
import { durationSetting, textLike } from "./setting-types.ts";
import { type SettingsOptions, loadSettings } from "./settings.ts";

const schema = z.strictObject({
  directories: z.array(z.string()).default([]),
  zone: z.string().optional(),
  token: z.string().optional().meta({ secret: true }),
  lease: durationSetting.default(15_000),
  defaults: z.strictObject({ rise: z.int().default(1), fall: z.int().default(2) }).prefault({}),
});

let folder = "";
let options: SettingsOptions<typeof schema>;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "dstack-settings-"));
  options = {
    name: "watson",
    schema,
    env: { XDG_CONFIG_HOME: join(folder, "user") },
    systemFolder: join(folder, "etc"),
  };
});
afterEach(() => rm(folder, { recursive: true }));

async function write(path: string, text: string): Promise<string> {
  const file = join(folder, path);
  await mkdir(join(file, ".."), { recursive: true });
  await writeFile(file, text);
  return file;
}

async function problemsOf(changes: Partial<SettingsOptions<typeof schema>> = {}): Promise<ConfigError> {
  const error: unknown = await loadSettings({ ...options, ...changes }).catch((caught: unknown) => caught);
  if (!(error instanceof ConfigError)) throw new Error("there were no problems");
  return error;
}

test("loadSettings() needs no file", async () => {
  const { value, files, sources } = await loadSettings(options);
  expect(value).toEqual({ directories: [], lease: 15_000, defaults: { rise: 1, fall: 2 } });
  expect(files).toEqual([]);
  expect(sources.get("defaults.fall")).toEqual({ from: "default", value: 2 });
});

test("loadSettings() lets the later source win, key by key, and remembers each", async () => {
  const system = await write("etc/watson.yaml", "zone: a\nlease: 20s\ndefaults: { rise: 3 }\n");
  const user = await write("user/datawire/watson.yaml", "zone: b\ndefaults: { fall: 4 }\n");
  const named = await write("own.yaml", "directories: [x, y]\n");
  const { value, files, sources, locate } = await loadSettings({
    ...options,
    file: named,
    env: { ...options.env, DATAWIRE_TOKEN: "s3cret", DATAWIRE_ZONE: "c" },
    variables: { DATAWIRE_TOKEN: { path: ["token"] }, DATAWIRE_ZONE: { path: ["zone"] } },
    flags: [
      { from: "--directory", path: ["directories"], value: ["z"] },
      { from: "--lease", path: ["lease"], value: undefined },
    ],
  });
  expect(value).toEqual({
    directories: ["z"],
    zone: "c",
    token: "s3cret",
    lease: 20_000,
    defaults: { rise: 3, fall: 4 },
  });
  expect(files).toEqual([system, user, named]);
  expect(Object.fromEntries(sources)).toEqual({
    "defaults.fall": { from: `${user}:2:19`, value: 4 },
    "defaults.rise": { from: `${system}:3:19`, value: 3 },
    directories: { from: "--directory", value: ["z"] },
    lease: { from: `${system}:2:8`, value: "20s" },
    token: { from: "DATAWIRE_TOKEN", value: "********" },
    zone: { from: "DATAWIRE_ZONE", value: "c" },
  });
  expect(locate(["lease"])).toEqual({ file: system, line: 2, column: 8 });
});

test("loadSettings() takes a file that is all comments", async () => {
  await write("etc/watson.yaml", "# zone: a\n");
  expect((await loadSettings(options)).value.lease).toBe(15_000);
});

test("ConfigError has the problems of each file from its top to its end", () => {
  const at = (file: string, line?: number, column?: number) => ({ file, line, column, message: "" }) as Problem;
  const { problems } = new ConfigError([at("b", 3, 1), at("a", 2, 9), at("b", 1, 5), at("a", 2, 1), at("c")]);
  expect(problems.map(formatPlace)).toEqual(["b:1:5", "b:3:1", "a:2:1", "a:2:9", "c"]);
});

test("textLike() says in words what it wants", () => {
  const checked = check(textLike(/^[a-z]+$/, "small letters"), "X1");
  expect(checked).toMatchObject({ ok: false, findings: [{ message: 'the document is "X1": wanted small letters' }] });
});

test("loadSettings() reports the problems of every file, each at its place", async () => {
  const system = await write("etc/watson.yaml", "zone: [1]\n");
  const named = await write("own.yaml", "leese: 3s\n");
  const { message, exitCode } = await problemsOf({ file: named });
  expect(message.split("\n")).toEqual([
    `${system}:1:7: zone is a list: wanted text`,
    `${named}:1:1: leese is not a known key: did you mean lease?`,
  ]);
  expect(exitCode).toBe(exitCodes.badConfiguration);
});

test("loadSettings() wants the file of -c to exist, and mappings in all", async () => {
  await write("etc/watson.yaml", "- a\n");
  const { problems } = await problemsOf({ file: join(folder, "none.yaml") });
  expect(problems.map(({ message }) => message)).toEqual([
    "the file is not a mapping: wanted KEY: VALUE lines",
    "Cannot read the file: no such file or folder",
  ]);
});

test("loadSettings() blames a flag by its name, as a misused command line", async () => {
  const { message, exitCode } = await problemsOf({ flags: [{ from: "--lease", path: ["lease"], value: "long" }] });
  expect(message).toMatch(/^--lease: lease is "long": wanted a duration/);
  expect(exitCode).toBe(exitCodes.misused);
});

test("loadSettings() never shows a secret", async () => {
  await write("etc/watson.yaml", "token: [123456]\n");
  const { message } = await problemsOf();
  expect(message).toContain("token is not usable: wanted text");
  expect(message).not.toContain("123456");
});

test.each([
  ["DATAWIRE_TOKN", "x", "DATAWIRE_TOKN: no such variable is read: did you mean DATAWIRE_TOKEN?"],
  ["DATAWIRE_DIRECTORIES", "//a", "DATAWIRE_DIRECTORIES: no such variable is read: did you mean DATAWIRE_DIRECTORY?"],
  ["DATAWIRE_ZONE", "a", "DATAWIRE_ZONE: no such variable is read: wanted `zone` in watson.yaml, or a flag"],
])("loadSettings() refuses %s, which would set nothing", async (name, value, message) => {
  const error = await problemsOf({ env: { ...options.env, [name]: value } });
  expect(error).toMatchObject({ message, exitCode: exitCodes.badConfiguration });
});

test.each([
  ["DATAWIRE_TOKEN", "x"],
  ["DATAWIRE_PORT", "tcp://10.0.0.1:80"],
  ["DATAWIRE_LEASE", "tcp://10.0.0.1:80"],
  ["DATAWIRE_DIRECTORY_SERVICE_HOST", "10.0.0.1"],
  ["DATAWIRE_VERSION", "1"],
  ["DATAWIRE_ZONE", ""],
])("loadSettings() minds no %s of %o", async (name, value) => {
  const { value: settings } = await loadSettings({ ...options, env: { ...options.env, [name]: value } });
  expect(settings.lease).toBe(15_000);
});
