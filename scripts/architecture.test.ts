import { existsSync, globSync, readdirSync, readFileSync } from "node:fs";
import { join, sep } from "node:path";
import { expect, test } from "vitest";

const ROOT = join(import.meta.dirname, "..");
const page = readFileSync(join(ROOT, "docs/architecture.md"), "utf8");
const folders = (path: string): string[] =>
  readdirSync(join(ROOT, path), { withFileTypes: true }).flatMap((entry) => (entry.isDirectory() ? [entry.name] : []));

test("docs/architecture.md names nothing that is not there", () => {
  const named = [...page.matchAll(/`((?:packages|scripts)\/[\w./-]+)`/g)].map(([, path = ""]) => path);
  expect(named.length).toBeGreaterThan(10);
  expect(named.filter((path) => !existsSync(join(ROOT, path)))).toEqual([]);
});

test("docs/architecture.md names no file of a room that is not there", () => {
  const sources = globSync("packages/*/src/**/*.ts", { cwd: ROOT }).map((path) => path.replaceAll(sep, "/"));
  const named = [...page.matchAll(/`([a-z][\w-]*\/[\w./-]+\.ts)`/g)].map(([, path = ""]) => path);
  const short = named.filter((path) => !/^(packages|scripts)\//.test(path));
  expect(short.length).toBeGreaterThan(10);
  expect(short.filter((path) => !sources.some((source) => source.endsWith(`/src/${path}`)))).toEqual([]);
});

/** The rooms of a package: its folders with sources, but for what tests use; the folders of `commands` go by its name. */
function roomsOf(name: string): string[] {
  const files = globSync(`packages/${name}/src/*/**/*.ts`, { cwd: ROOT }).map((path) => path.split(sep).slice(3, -1));
  const paths = files.filter(([room]) => room !== "testing").map((path) => path.filter((part) => part !== "testing"));
  return [...new Set(paths.map((path) => (path[0] === "commands" ? "commands" : path.join("/"))))];
}

test.each(folders("packages"))("docs/architecture.md names packages/%s and each of its rooms", (name) => {
  // A row of a table, or a paragraph.
  const about = page.split(/\n(?=\n|\|)/).filter((part) => part.includes(`\`packages/${name}\``));
  expect(about).not.toEqual([]);
  const rooms = roomsOf(name);
  expect(rooms).not.toEqual([]);
  expect(rooms.filter((room) => !about.some((part) => part.includes(`\`${room}\``)))).toEqual([]);
});

test("the arrows and the linter know the same rooms as pure", async () => {
  const { pure } = (await import(join(ROOT, ".dependency-cruiser.mjs"))) as { readonly pure: readonly string[] };
  const { overrides } = JSON.parse(readFileSync(join(ROOT, ".oxlintrc.json"), "utf8")) as {
    readonly overrides: readonly { readonly files: readonly string[]; readonly rules: Record<string, unknown> }[];
  };
  const [linted] = overrides.filter(({ rules }) => Object.hasOwn(rules, "no-restricted-globals"));
  const patterns = new RegExp(`^packages/(${pure.join("|")})`);
  const sourcesOf = (glob: string): string[] =>
    globSync(glob, { cwd: ROOT })
      .map((path) => path.replaceAll(sep, "/"))
      .filter((path) => !path.endsWith(".test.ts"));
  const byArrows = sourcesOf("packages/*/src/**/*.ts").filter((path) => patterns.test(path));
  const byLinter = new Set((linted?.files ?? []).flatMap(sourcesOf));
  expect(byArrows.length).toBeGreaterThan(100);
  expect([...byLinter].toSorted()).toEqual(byArrows.toSorted());
});

test("every decision has a number of its own, in its file's name as in its title", () => {
  const files = readdirSync(join(ROOT, "docs/decisions")).filter((file) => /^\d/.test(file));
  const numbers = files.map((file) => Number(file.slice(0, 4)));
  expect(numbers).toEqual(files.map((_, i) => i + 1));
  const titles = files.map((file) => readFileSync(join(ROOT, "docs/decisions", file), "utf8").split("\n", 1)[0]);
  expect(titles.map((title) => Number(/^# (\d+)\./.exec(title ?? "")?.[1]))).toEqual(numbers);
});
