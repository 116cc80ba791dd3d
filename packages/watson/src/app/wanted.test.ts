import { chmod, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { formatProblem } from "@datawire/runtime";
import { afterEach, beforeEach, expect, test } from "vitest";
import { loadWatsonSettings, type WatsonSettings } from "../config/settings.ts";
import { checkFiles, checkServiceFiles } from "./wanted.ts";

let folder = "";
beforeEach(async () => void (folder = await mkdtemp(join(tmpdir(), "watson-wanted-"))));
afterEach(() => rm(folder, { recursive: true }));

async function load(text: string, options: Readonly<Record<string, unknown>> = {}): Promise<WatsonSettings> {
  const config = join(folder, "watson.yaml");
  await writeFile(config, `directories: //a/directory\n${text}`);
  return loadWatsonSettings({ config, directories: [], options, args: [], env: { XDG_CONFIG_HOME: folder } });
}

async function problemsOf(settings: WatsonSettings): Promise<string> {
  const problems = await checkServiceFiles(settings);
  return problems.map(formatProblem).join("\n").replaceAll(folder, "FOLDER");
}

test("checkServiceFiles() says where a folder or file is named that is not there", async () => {
  expect(await problemsOf(await load("services:\n  - gone/\n  - one.yaml\n"))).toBe(
    [
      'FOLDER/watson.yaml:3:5: services has "FOLDER/gone": Cannot read the folder: no such file or folder',
      'FOLDER/watson.yaml:4:5: services has "FOLDER/one.yaml": Cannot read the file: no such file or folder',
    ].join("\n"),
  );
  expect(await problemsOf(await load("services: gone"))).toMatch(/^FOLDER\/watson\.yaml:2:11: /);
});

test("checkServiceFiles() names a folder that a flag gave by itself", async () => {
  const settings = await load("", { services: [join(folder, "gone")] });
  expect(await problemsOf(settings)).toBe("FOLDER/gone:1:1: Cannot read the folder: no such file or folder");
});

test("checkServiceFiles() does not ask for the default folder", async () => {
  const settings = await load("");
  expect(settings.servicePlaces).toBeNull();
  expect(await problemsOf({ ...settings, services: [join(folder, "gone")] })).toBe("");
});

test.each([true, false])(
  "checkServiceFiles() keeps the environment from a file that others can write (allow_exec: %s)",
  async (exec) => {
    const file = join(folder, "b.yaml");
    await writeFile(file, "service: //b\nport: 80\nzone: ${XDG_CONFIG_HOME}\n");
    await chmod(file, 0o666);
    const settings = await load(`services: b.yaml\nallow_exec: ${exec}\n`);
    expect(await problemsOf(settings)).toBe(
      "FOLDER/b.yaml:3:7: the variable XDG_CONFIG_HOME cannot be used here: others than its owner can write it (mode 666), wanted for instance 644",
    );
    await chmod(file, 0o644);
    expect(await problemsOf(settings)).toBe(
      'FOLDER/b.yaml:3:7: zone is "${XDG_CONFIG_HOME}": wanted 1 to 100 of a-z 0-9 . _ -, beginning and ending with a letter, a digit or _',
    );
  },
);

test("checkFiles() says where a data folder is named that can be none", async () => {
  await writeFile(join(folder, "file"), "");
  const problems = await checkFiles(await load(`services: []\ndata_dir: ${folder}/file/state\n`));
  expect(problems.map(formatProblem)).toEqual([
    `${folder}/watson.yaml:3:11: data_dir is "${folder}/file/state": ${folder}/file is a file`,
  ]);
});
