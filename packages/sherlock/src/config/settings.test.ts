import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ConfigError, formatProblem } from "@datawire/runtime";
import { afterEach, beforeEach, expect, test } from "vitest";
import { loadSherlockSettings } from "./settings.ts";

let folder = "";
beforeEach(async () => void (folder = await mkdtemp(join(tmpdir(), "sherlock-settings-"))));
afterEach(() => rm(folder, { recursive: true }));

async function load(text: string, directories: readonly string[] = []) {
  const config = join(folder, "sherlock.yaml");
  await writeFile(config, text);
  const env = { XDG_CONFIG_HOME: folder, XDG_STATE_HOME: folder };
  return loadSherlockSettings({ config, directories, options: {}, args: [], env });
}

test.each([
  ["", [], ["localhost"], false],
  ["directories: //a/directory", [], ["a"], true],
  ["directories: [[//a/directory, //b/directory]]", [], ["a", "b"], true],
  ["", ["//c/directory"], ["c"], true],
])("loadSherlockSettings() of %o with -d %o follows %o", async (text, given, hosts, isDirectoryGiven) => {
  const settings = await load(text, given);
  expect(settings.replicas.map(({ host }) => host)).toEqual(hosts);
  expect(settings).toMatchObject({ isDirectoryGiven });
});

test.each(["directories: []", "directories: [[]]"])("loadSherlockSettings() refuses %o", async (text) => {
  const error: unknown = await load(text).then(null, (cause: unknown) => cause);
  expect(error).toBeInstanceOf(ConfigError);
  expect((error as ConfigError).problems.map(formatProblem).join()).toMatch(/:1:1\d: directories.*one address or more/);
});

test("loadSherlockSettings() takes names as they were typed, as keys and as values", async () => {
  const settings = await load(
    "name: 1.0\nzone: 007\ntcp: { 1.10: 127.0.0.1:6001 }\nservices: { 0x10: { retries: 1 } }",
  );
  expect(settings).toMatchObject({ name: "1.0", zone: "007" });
  expect([...settings.tcp.listen.keys(), ...settings.overrides.keys()]).toEqual(["1.10", "0x10"]);
});
