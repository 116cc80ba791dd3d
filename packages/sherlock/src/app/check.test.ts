import { chmod, mkdir, readdir, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { formatProblem, noLog, systemClock } from "@datawire/runtime";
import { afterEach, beforeEach, expect, test } from "vitest";
import { loadSherlockSettings } from "../config/settings.ts";
import { removeFolder, temporaryFolder } from "../testing/places.ts";
import { checkSherlock } from "./check.ts";
import { writeOnce } from "./once.ts";

let folder = "";
beforeEach(async () => void (folder = await temporaryFolder()));
afterEach(() => removeFolder(folder));

async function settingsOf(text: string) {
  const config = join(folder, "sherlock.yaml");
  await writeFile(config, `directories: //127.0.0.1:1/directory\n${text}`);
  const env = { XDG_CONFIG_HOME: folder, PATH: process.env["PATH"] };
  return loadSherlockSettings({ config, directories: [], options: {}, args: [], env });
}

async function check(text: string): Promise<string> {
  const problems = await checkSherlock(await settingsOf(text));
  return problems.map(formatProblem).join("\n").replaceAll(folder, "FOLDER");
}

const places = (): string => `data_dir: ${folder}/data\nhaproxy: { run_dir: ${folder}/run`;

test("checkSherlock() has HAProxy look at an own template, and leaves nothing behind", async () => {
  const before = (await readdir(tmpdir())).filter((name) => name.startsWith("sherlock-check-"));
  await writeFile(join(folder, "own.hbs"), "global\n  foo bar\n");
  expect(await check(`${places()}, template: ${folder}/own.hbs }`)).toMatch(
    /^FOLDER\/sherlock\.yaml:3:\d+: haproxy\.template: HAProxy refuses the configuration: FOLDER\/own\.hbs:2: line 2: unknown keyword 'foo'/,
  );
  expect((await readdir(tmpdir())).filter((name) => name.startsWith("sherlock-check-"))).toEqual(before);
  expect(await readdir(folder)).toEqual(["own.hbs", "sherlock.yaml"]);
});

test("checkSherlock() finds what HAProxy refuses in the part of a service alone", async () => {
  const lines = [
    "{{#each backends}}",
    "backend {{name}}",
    "{{#each servers}}",
    "  nonsense",
    "{{/each}}",
    "{{/each}}",
    "",
  ];
  const bare = ["defaults", "  mode http", "  timeout client 1s", "  timeout server 1s", "  timeout connect 1s"];
  await writeFile(join(folder, "own.hbs"), [...bare, "frontend f", "  bind 127.0.0.1:6", ...lines].join("\n"));
  expect(await check(`${places()}, template: ${folder}/own.hbs }`)).toMatch(
    /haproxy\.template: HAProxy refuses what it has of a service: FOLDER\/own\.hbs:11: line \d+: unknown keyword 'nonsense'[^;]*$/,
  );
});

test("checkSherlock() has nothing to say of the built-in template, with what settings say of services", async () => {
  const services = "services: { barker: { balance: least-connections, retries: 2, slow_start: 3s } }";
  expect(await check(`${places()} }\naccess_log: json\npercentiles: on\nexplain: on\n${services}`)).toBe("");
});

test("checkSherlock() has nobody to ask of a template where HAProxy cannot be run", async () => {
  await writeFile(join(folder, "haproxy"), "#!/bin/sh\n[ $1 = -v ] && exec haproxy -v\nkill -9 $$\n", { mode: 0o755 });
  expect(await check(`${places()}, command: ${folder}/haproxy }`)).toBe("");
});

test.each([
  ["haproxy: { run_dir: FOLDER/file }", /haproxy\.run_dir is "FOLDER\/file": it is a file, wanted a folder$/],
  ["haproxy: { run_dir: FOLDER/file/x }", /haproxy\.run_dir is "FOLDER\/file\/x": FOLDER\/file is a file$/],
  ["haproxy: { run_dir: FOLDER/link }", /haproxy\.run_dir is "FOLDER\/link": it is a link that leads nowhere$/],
  ["haproxy: { run_dir: '/tmp/a b' }", /Cannot use "\/tmp\/a b" as run directory .*wanted an absolute path of letters/],
  [`haproxy: { run_dir: /tmp/${"x".repeat(90)} }`, /the sockets in it would have more than the 90 characters/],
  ["data_dir: FOLDER/open", /data_dir is "FOLDER\/open": others can write it \(mode 777\), wanted 700: chmod 700/],
])("checkSherlock() says that %s can be no folder of its", async (text, wanted) => {
  await writeFile(join(folder, "file"), "");
  await mkdir(join(folder, "open"));
  await chmod(join(folder, "open"), 0o777);
  await symlink("/nowhere/at/all", join(folder, "link"));
  const found = await check(text.replaceAll("FOLDER", folder));
  expect(found).toMatch(wanted);
  expect(found).toMatch(/^FOLDER\/sherlock\.yaml:2:\d+: /);
});

test("a start with a template that HAProxy refuses ends with 78", async () => {
  await writeFile(join(folder, "own.hbs"), "global\n  foo bar\n");
  const settings = await settingsOf(`${places()}, template: ${folder}/own.hbs }`);
  await mkdir(join(folder, "data"), { mode: 0o700 });
  const table = { services: [], instances: [], tables: [], gone: { services: [], instances: [], tables: [] } };
  const kept = { format: 1, savedAt: new Date(0).toISOString(), table, position: { epoch: "e", revision: 1 } };
  await writeFile(join(folder, "data/table.json"), JSON.stringify(kept));
  const { signal } = new AbortController();
  await expect(writeOnce({ settings, log: noLog, clock: systemClock, signal })).rejects.toMatchObject({
    exitCode: 78,
    message: expect.stringContaining("Cannot configure HAProxy: ") as string,
  });
});
