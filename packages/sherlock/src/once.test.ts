import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { type Clock, makePrivateFolder, noLog, systemClock } from "@datawire/runtime";
import { afterEach, beforeEach, expect, test } from "vitest";
import { renderOnce, writeOnce } from "./once.ts";
import { loadSherlockSettings } from "./settings.ts";
import { change, instance, service } from "./testing/entities.ts";
import { removeFolder, temporaryFolder } from "./testing/machine.ts";

/** Nobody waits in a test: what takes a while is over at once. */
const clock: Clock = {
  ...systemClock,
  setTimer: (_ms, fn) => systemClock.setTimer(0, fn),
  sleep: (_ms, signal) => systemClock.sleep(0, signal),
};

let folder = "";
beforeEach(async () => void (folder = await temporaryFolder()));
afterEach(() => removeFolder(folder));

/** A Sherlock whose directory is not there. */
async function context(printed: string[] = []) {
  const input = {
    config: undefined,
    directories: ["//127.0.0.1:1/directory"],
    options: { runDir: join(folder, "run"), dataDir: join(folder, "data"), listen: "127.0.0.1:6", name: "monolith" },
    args: [],
    env: { PATH: process.env["PATH"] },
  };
  const settings = await loadSherlockSettings(input);
  const { signal } = new AbortController();
  return { settings, input, log: noLog, clock, signal, print: (text: string) => void printed.push(text) };
}

const config = () => readFile(join(folder, "run", "haproxy.cfg"), "utf8");

async function keepTable(): Promise<void> {
  await makePrivateFolder(join(folder, "data"));
  const table = change(service("barker"), instance("barker", "vm1"));
  const kept = { format: 1, savedAt: new Date(0).toISOString(), table, position: { epoch: "e", revision: 1 } };
  await writeFile(join(folder, "data", "table.json"), JSON.stringify(kept));
}

test("writeOnce() writes the table that is kept, and leaves that be where none has come", async () => {
  await keepTable();
  expect(await writeOnce(await context())).toBe(0);
  const good = await config();
  expect(good).toContain("barker");
  await writeFile(join(folder, "data", "table.json"), "{}");
  await expect(writeOnce(await context())).rejects.toMatchObject({
    exitCode: 69,
    message: expect.stringMatching(
      /no table has come \(.+\), and none is kept in .+table\.json; what was written/,
    ) as string,
  });
  expect(await config()).toBe(good);
});

test("renderOnce() prints what would be run without a table too, and leaves nothing behind", async () => {
  const printed: string[] = [];
  await renderOnce(await context(printed));
  expect(printed.join("")).toContain("bind 127.0.0.1:6");
  await expect(config()).rejects.toThrow("ENOENT");
});
