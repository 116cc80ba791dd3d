import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { manPages } from "./reference/man.ts";
import { libraryPage } from "./reference/library.ts";
import { referencePage } from "./reference/page.ts";
import { describeFiles } from "./reference/programs.ts";

test("docs/reference.md is what the programs say now; `node scripts/reference.ts` writes it", async () => {
  expect(readFileSync(new URL("../docs/reference.md", import.meta.url), "utf8")).toBe(await referencePage());
});

test("docs/mdk-reference.md is what the library declares now; `node scripts/reference.ts` writes it", () => {
  expect(readFileSync(new URL("../docs/mdk-reference.md", import.meta.url), "utf8")).toBe(libraryPage());
});

test.each(describeFiles())("every key of $file says what it is for", ({ settings }) => {
  const silent = settings.filter(({ description }) => description === "").map(({ key }) => key);
  expect(silent).toEqual([]);
});

test("there is a manual page for every program and every file", () => {
  expect(manPages({ version: "1.2.3" }).map(({ file }) => file)).toEqual([
    "directory.8",
    "watson.8",
    "sherlock.8",
    "router.8",
    "agent.8",
    "dw.1",
    "directory.yaml.5",
    "watson.yaml.5",
    "datawire.d.5",
    "sherlock.yaml.5",
    "router.yaml.5",
    "dw.yaml.5",
  ]);
});

test("manual pages are plain ASCII, which every troff reads", () => {
  const odd = manPages({ version: "1.2.3" }).filter(({ text }) => /[^\t\n\x20-\x7e]/.test(text));
  expect(odd.map(({ file }) => file)).toEqual([]);
});

test("manual pages have every character that is to be typed as it is typed", () => {
  const dw = manPages({ version: "1.2.3" }).find(({ file }) => file === "dw.1")?.text ?? "";
  expect(dw).toContain("\\(aq//barker(2)\\(aq 10%");
  expect(dw.match(/(?<!\\)-|['^~]/g)).toBeNull();
});
