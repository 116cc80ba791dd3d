import { expect, test } from "vitest";
import { type Files, firstLook, GONE_MS, look, SETTLE_MS, UNSETTLED_MS_MAX, WHOLE_MS } from "./file-tracker.ts";

const found = (stamps: Record<string, string>): Map<string, string> => new Map(Object.entries(stamps));
const known: Files = firstLook(found({ "a.yaml": "1" }));

test("look() asks for nothing while nothing changes", () => {
  expect(look(known, found({ "a.yaml": "1" }), 0)).toEqual({ files: known, read: [], gone: [], againInMs: null });
});

test("look() reads a changed file once it has been left alone", () => {
  const first = look(known, found({ "a.yaml": "2" }), 0);
  expect(first).toMatchObject({ read: [], againInMs: SETTLE_MS });
  const stillChanging = look(first.files, found({ "a.yaml": "3" }), SETTLE_MS);
  expect(stillChanging).toMatchObject({ read: [], againInMs: SETTLE_MS });
  const settled = look(stillChanging.files, found({ "a.yaml": "3" }), 2 * SETTLE_MS);
  expect(settled).toMatchObject({ read: ["a.yaml"], gone: [], againInMs: null });
});

test("look() reads a file that was added", () => {
  const first = look(known, found({ "a.yaml": "1", "b.yaml": "1" }), 0);
  expect(look(first.files, found({ "a.yaml": "1", "b.yaml": "1" }), SETTLE_MS).read).toEqual(["b.yaml"]);
});

test("look() reads a file that came whole without leaving it alone first, unless one that is away may be it", () => {
  const wholeSinceMs = (path: string): number | null => (path === "b.yaml" ? 0 : null);
  const both = found({ "a.yaml": "1", "b.yaml": "1" });
  const first = look(known, both, 0, wholeSinceMs);
  expect(first).toMatchObject({ read: [], againInMs: WHOLE_MS });
  expect(look(first.files, both, WHOLE_MS, wholeSinceMs).read).toEqual(["b.yaml"]);
  expect(look(known, both, WHOLE_MS, wholeSinceMs).read).toEqual(["b.yaml"]);
  const written = look(first.files, both, WHOLE_MS);
  expect(written).toMatchObject({ read: [], againInMs: SETTLE_MS - WHOLE_MS });
  const renamed = look(known, found({ "b.yaml": "1" }), WHOLE_MS, wholeSinceMs);
  expect(renamed).toMatchObject({ read: [], againInMs: GONE_MS });
});

test("look() does not miss a file that an editor removes and writes anew", () => {
  const away = look(known, found({}), 0);
  expect(away).toMatchObject({ gone: [], againInMs: GONE_MS });
  const back = look(away.files, found({ "a.yaml": "2" }), GONE_MS - 1);
  expect(back).toMatchObject({ read: [], gone: [] });
  expect(look(back.files, found({ "a.yaml": "2" }), GONE_MS + SETTLE_MS).read).toEqual(["a.yaml"]);
});

test("look() lets a file go that stays away", () => {
  const away = look(known, found({}), 0);
  const gone = look(away.files, found({}), GONE_MS);
  expect(gone.gone).toEqual(["a.yaml"]);
  expect(gone.files.size).toBe(0);
});

test("look() reads nothing when a file is as it was read again", () => {
  const changed = look(known, found({ "a.yaml": "2" }), 0);
  expect(look(changed.files, found({ "a.yaml": "1" }), 1_000)).toMatchObject({ read: [], againInMs: null });
});

test("look() takes a renamed file as one change", () => {
  const first = look(known, found({ "b.yaml": "1" }), 0);
  const between = look(first.files, found({ "b.yaml": "1" }), SETTLE_MS);
  expect(between).toMatchObject({ read: [], gone: [] });
  expect(look(between.files, found({ "b.yaml": "1" }), GONE_MS)).toMatchObject({ read: ["b.yaml"], gone: ["a.yaml"] });
});

test("look() reads a file in the end that something keeps writing", () => {
  let { files } = look(known, found({ "a.yaml": "2" }), 0);
  let reads = 0;
  for (let nowMs = 50; nowMs <= 2 * UNSETTLED_MS_MAX; nowMs += 50) {
    const looked = look(files, found({ "a.yaml": `at ${nowMs}` }), nowMs);
    ({ files } = looked);
    reads += looked.read.length;
  }
  expect(reads).toBe(1);
});
