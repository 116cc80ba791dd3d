import { readFile, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { noLog } from "@datawire/runtime";
import { afterEach, beforeEach, expect, test } from "vitest";
import { removeFolder, temporaryFolder } from "../testing/places.ts";
import { SessionKeys } from "./session-keys.ts";

const KEY = "A".repeat(43);
const OTHER = "B".repeat(43);
let folder: string;
let path: string;
/** Each writes its keys on its own: the folder is removed when all have. */
let made: SessionKeys[];

beforeEach(async () => {
  folder = await temporaryFolder();
  path = join(folder, "session-keys.json");
  made = [];
});
afterEach(async () => {
  await Promise.all(made.map((keys) => keys.saved()));
  await removeFolder(folder);
});

async function loaded(): Promise<SessionKeys> {
  const keys = new SessionKeys(path, { log: noLog });
  made.push(keys);
  await keys.load(path);
  return keys;
}

test("of() says the same at every Sherlock that was given the same key, and nothing of what it is made of", async () => {
  const [one, two] = [await loaded(), new SessionKeys(null, { log: noLog })];
  expect([one.take(KEY), two.take(KEY)]).toEqual([true, true]);
  const [id = ""] = one.of("shop", "shop", "vm1");
  expect(id).toMatch(/^s\.[A-Za-z0-9_-]{22}$/);
  expect(two.of("shop", "shop", "vm1")).toEqual([id]);
  const others = [one.of("cart", "shop", "vm1"), one.of("shop", "shop", "vm2"), one.of("shop", "shop", null)].flat();
  expect(new Set([id, ...others]).size).toBe(4);
});

test("of() goes on after a restart, with the directory or without", async () => {
  const before = await loaded();
  before.take(KEY);
  await before.saved();
  expect(((await stat(path)).mode & 0o777).toString(8)).toBe("600");
  const after = await loaded();
  expect(after.shared).toBe(true);
  expect(after.of("shop", "shop", "vm1")).toEqual(before.of("shop", "shop", "vm1"));
  expect(after.take(KEY)).toBe(false);
});

test("of() without a key makes one, which is kept and understood once the directory gives its own", async () => {
  const alone = await loaded();
  expect(alone.take(undefined)).toBe(false);
  const [own = ""] = alone.of("shop", "shop", "vm1");
  expect(alone.shared).toBe(false);
  await alone.saved();
  const later = await loaded();
  expect(later.of("shop", "shop", "vm1")).toEqual([own]);
  expect(later.take(KEY)).toBe(true);
  expect([later.shared, later.of("shop", "shop", "vm1")[1]]).toEqual([true, own]);
});

test("take() forgets keys that are long gone", async () => {
  const keys = await loaded();
  for (const letter of "ABCDE") keys.take(letter.repeat(43));
  keys.take(OTHER);
  expect(keys.of("shop", "shop", "vm1")).toHaveLength(3);
});

test.each(["", "{}", '{"keys":["x"],"given":true}', "null"])("load() goes on without a file of %j", async (text) => {
  await writeFile(path, text);
  const keys = await loaded();
  expect(keys.shared).toBe(false);
  keys.take(KEY);
  await keys.saved();
  expect(JSON.parse(await readFile(path, "utf8"))).toEqual({ keys: [KEY], given: true });
});
