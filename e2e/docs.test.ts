import { globSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { brokenLinks } from "./harness/docs/links.ts";
import { readOptions, wrongMentions } from "./harness/docs/mentions.ts";
import { readPage } from "./harness/docs/page.ts";
import { describeFailure, updatePage } from "./harness/docs/results.ts";
import { runPage } from "./harness/docs/run-page.ts";

/**
 * Every command of README.md, docs/ and the README of Bookshelf does what the page says; the conventions are in `harness/docs/page.ts`.
 * `UPDATE_DOCS=1` writes into the pages what their commands print now: read the difference before you commit it.
 */
const ROOT = join(import.meta.dirname, "..");
const update = process.env["UPDATE_DOCS"] === "1";
/** Several machines; `three-hosts.test.ts` runs it. */
const ELSEWHERE = ["docs/getting-started.md"];

const pages = ["README.md", "examples/bookshelf/README.md", ...globSync("docs/**/*.md", { cwd: ROOT })]
  .filter((name) => !ELSEWHERE.includes(name))
  .toSorted();

const known = {
  root: ROOT,
  scripts: Object.keys((JSON.parse(readFileSync(join(ROOT, "package.json"), "utf8")) as { scripts: object }).scripts),
  options: readOptions(readFileSync(join(ROOT, "docs/reference.md"), "utf8")),
};

test.each([...pages, ...ELSEWHERE, "CONTRIBUTING.md"])(
  "%s names only commands, options, units and files that exist",
  (name) => {
    const markdown = readFileSync(join(ROOT, name), "utf8");
    expect(wrongMentions(markdown, readPage(markdown), known)).toEqual([]);
  },
);

test.each([...pages, ...ELSEWHERE, "CONTRIBUTING.md", "CHANGELOG.md"])("the links of %s lead somewhere", (name) => {
  expect(brokenLinks(join(ROOT, name))).toEqual([]);
});

test.each(pages)("the programs that %s shows are those of the checkout", (name) => {
  const markdown = readFileSync(join(ROOT, name), "utf8");
  for (const item of readPage(markdown).items)
    if (item.kind === "example") expect(item.content).toBe(readFileSync(join(ROOT, item.path), "utf8"));
});

test.each([
  ["<!-- run: directory & -->", /nobody sees "<!-- run/],
  ["<!-- ports: 8080 -->", /nobody sees/],
  ["```yaml\nservice: //a\n```", /which file the block is of/],
  ["```typescript\nstart();\n```", /nobody runs the block/],
  ["```toml\na = 1\n```", /"toml" is not run/],
  ["```json\n{ a: 1 }\n```", /JSON/],
  ["Then:\n\n    $ dw status", /in an indented block is not run/],
  ["```console\nprinted by nothing\n```", /output without a command/],
])("a page that hides something, or shows what nobody tries, is refused: %j", (markdown, reason) => {
  expect(() => readPage(markdown)).toThrow(reason);
});

describe.concurrent("commands print what the page shows", () => {
  test.each(pages)("%s", async (name) => {
    const file = join(ROOT, name);
    const markdown = readFileSync(file, "utf8");
    const results = await runPage(readPage(markdown), { update });
    if (update) return writeFileSync(file, updatePage(markdown, results));
    expect(describeFailure(name, results)).toBeNull();
  });
});
