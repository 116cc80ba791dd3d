import { mkdtemp, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { noLog, ProblemBoard } from "@datawire/runtime";
import { createFakeClock } from "@datawire/runtime/testing";
import { afterEach, beforeEach, expect, test } from "vitest";
import { StateFile } from "./state-file.ts";

let folder = "";
let board: ProblemBoard;
let noted: string[];
const recent = { note: ({ message }: { readonly message: string }) => void noted.push(message) };
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "watson-state-"));
  board = new ProblemBoard();
  noted = [];
});
afterEach(() => rm(folder, { recursive: true }));

const open = (boot: string | null = "boot-1"): Promise<StateFile> =>
  StateFile.open(join(folder, "state", "watson.json"), { clock: createFakeClock(), log: noLog, board, recent, boot });

const A = { key: "barker@a", url: "http://h:1" };

test("StateFile.open() makes an identity and keeps it, for its owner alone", async () => {
  const { id } = await open();
  expect(id.length).toBeGreaterThanOrEqual(8);
  expect((await open()).id).toBe(id);
  expect((await stat(join(folder, "state", "watson.json"))).mode & 0o777).toBe(0o600);
});

test("StateFile.open() begins anew when the file is damaged", async () => {
  const { id } = await open();
  await writeFile(join(folder, "state", "watson.json"), '{"id":');
  expect((await open()).id).not.toBe(id);
});

test("StateFile remembers what was drained, by directory", async () => {
  const state = await open();
  state.rememberDrained("//a/directory", ["barker@a"]);
  await state.flush();
  const again = await open();
  expect([...again.drained("//a/directory")]).toEqual(["barker@a"]);
  expect([...again.drained("//b/directory")]).toEqual([]);
});

test("StateFile knows what was live, until the URL is another or the machine was started again", async () => {
  const state = await open();
  state.rememberLive(() => [A]);
  await state.flush();
  expect((await open()).wasLive(A)).toBe(true);
  expect((await open()).wasLive({ ...A, url: "http://h:2" })).toBe(false);
  expect((await open("boot-2")).wasLive(A)).toBe(false);
  expect((await open(null)).wasLive(A)).toBe(false);
});

test("StateFile goes on when its file cannot be written", async () => {
  const path = "/proc/self/nothing/watson.json";
  const state = await StateFile.open(path, { clock: createFakeClock(), log: noLog, board, recent, boot: null });
  expect(board.list()).toMatchObject([{ subject: path, message: expect.stringContaining("not written: ") as string }]);
  expect(state.id.length).toBeGreaterThanOrEqual(8);
  await expect(readFile(path)).rejects.toThrow("ENOENT");
});

test("StateFile takes a file in the place of its folder for a mistake in the settings", async () => {
  const inPlace = join(folder, "file");
  await writeFile(inPlace, "");
  const deps = { clock: createFakeClock(), log: noLog, board, recent, boot: null };
  await expect(StateFile.open(join(inPlace, "watson.json"), deps)).rejects.toThrow(
    `Cannot use the folder ${inPlace}: it is a file, wanted a folder`,
  );
});
