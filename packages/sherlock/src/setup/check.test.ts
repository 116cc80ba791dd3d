import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { formatProblem } from "@datawire/runtime";
import { afterEach, beforeEach, expect, test } from "vitest";
import { checkFiles } from "./check.ts";
import { loadSherlockSettings } from "../config/settings.ts";
import { removeFolder, temporaryFolder } from "../testing/places.ts";

let folder = "";
beforeEach(async () => void (folder = await temporaryFolder()));
afterEach(() => removeFolder(folder));

/** What `--check` says of a sherlock.yaml beyond the settings themselves. */
async function check(text: string): Promise<string> {
  const config = join(folder, "sherlock.yaml");
  await writeFile(config, `directories: //a/directory\n${text}`);
  const input = { config, directories: [], options: {}, args: [], env: { XDG_CONFIG_HOME: folder } };
  const problems = await checkFiles(await loadSherlockSettings(input));
  return problems.map(formatProblem).join("\n").replaceAll(folder, "FOLDER");
}

test("checkFiles() says where a file is named that cannot be used, all of them at once", async () => {
  expect(await check(`haproxy:\n  command: ${folder}/gone\n  template: ${folder}/gone.hbs\n`)).toBe(
    [
      "FOLDER/sherlock.yaml:3:12: haproxy.command: Cannot find HAProxy at FOLDER/gone (haproxy.command): wanted the path of its program",
      "FOLDER/sherlock.yaml:4:13: haproxy.template: Cannot read the template FOLDER/gone.hbs: no such file or folder",
    ].join("\n"),
  );
});

test("checkFiles() takes no other HAProxy for one that is named and not there", async () => {
  expect(await check("haproxy: { command: haproxy-of-nobody }")).toBe(
    "FOLDER/sherlock.yaml:2:21: haproxy.command: Cannot find HAProxy: haproxy-of-nobody (haproxy.command) is not in PATH, wanted the path of its program",
  );
});

test("checkFiles() says how a program that is no HAProxy ended", async () => {
  await writeFile(join(folder, "wrapper"), "#!/bin/sh\necho boom >&2\nexit 3\n", { mode: 0o755 });
  expect(await check(`haproxy: { command: ${folder}/wrapper }`)).toBe(
    "FOLDER/sherlock.yaml:2:21: haproxy.command: Cannot use FOLDER/wrapper as HAProxy: `FOLDER/wrapper -v` ended with 3: boom",
  );
});

test("checkFiles() says what is wrong with the authorities of instances", async () => {
  expect(await check(`haproxy: { ca_file: ${folder}/gone.pem }`)).toMatch(
    /^FOLDER\/sherlock\.yaml:2:21: .*no such file/,
  );
  await writeFile(join(folder, "ca.pem"), "PEM");
  expect(await check(`haproxy: { ca_file: ${folder}/ca.pem }`)).toContain("it holds no certificate, wanted PEM");
});

test("checkFiles() names the line of a template that cannot be parsed, and of a partial", async () => {
  await mkdir(join(folder, "partials"));
  await writeFile(join(folder, "own.hbs"), "global\n{{#each x}\n");
  expect(await check(`haproxy: { template: ${folder}/own.hbs }`)).toMatch(
    /^FOLDER\/own\.hbs:2:1: it is no template that Handlebars can read: Expecting /,
  );
  await writeFile(join(folder, "own.hbs"), "global\n");
  await writeFile(join(folder, "partials/more.hbs"), "one\ntwo\n{{#if}}\n");
  expect(await check(`haproxy: { template: ${folder}/own.hbs }`)).toMatch(/^FOLDER\/partials\/more\.hbs:\d:1: /);
});

test("checkFiles() has nothing to say of settings that name no file", async () => {
  expect(await check("")).toBe("");
});
