import { expect, test } from "vitest";
import { findBreaches } from "./find-breaches.ts";

const file = (path: string, text = ""): { path: string; text: string } => ({ path: `packages/p/src/${path}`, text });

test("findBreaches() finds nothing in a house that keeps its rules", () => {
  const described = "/** Asks. */\nexport function ask(): void;\nexport function ask(what?: string): void {}\n";
  expect(
    findBreaches([
      file("index.ts", 'export { ask } from "./a/ask.ts";'),
      file("main.ts", "await run();"),
      file("a/ask.ts", described),
      file("b/use.ts", 'import { ask } from "../a/ask.ts";\nclass Use {\n  async use() {\n    await ask();\n  }\n}'),
      file("a/ask.test.ts", 'import { use } from "../b/use.ts";\nexport const unheard = 1;'),
      file("testing/world.ts", 'import { use } from "../b/use.ts";'),
      file("b/use.test.ts", 'import { world } from "../testing/world.ts";'),
    ]),
  ).toEqual([]);
});

test.each([
  ["a file at the root", [file("helper.ts")], /src\/helper\.ts: a file at the root/],
  ["a test at the root", [file("helper.test.ts")], /src\/helper\.test\.ts: a file at the root/],
  [
    "a crowded folder",
    Array.from({ length: 16 }, (_, i) => file(`a/${i}.ts`)),
    /packages\/p\/src\/a: 16 sources, wanted at most 15/,
  ],
  [
    "two folders that import each other, also within a call",
    [file("a/x.ts", 'import "../b/y.ts";'), file("b/y.ts", 'const later = () => import("../a/x.ts");')],
    /src\/a and b import each other: .*a\/x\.ts imports \.\.\/b\/y\.ts, .*b\/y\.ts imports \.\.\/a\/x\.ts/,
  ],
  ["an export without a word", [file("a/x.ts", "// no\nexport const x = 1;")], /a\/x\.ts:2: x is exported without/],
  [
    "a module that awaits as it is loaded",
    [file("a/x.ts", "const ask = async () => await 1;\nconst x = {\n  y: await ask(),\n};")],
    /a\/x\.ts:3: awaits as it is loaded/,
  ],
  [
    "a module that awaits each of several as it is loaded",
    [file("a/x.ts", "import { y } from './y.ts';\nfor await (const x of y) x();")],
    /a\/x\.ts:2: awaits as it is loaded/,
  ],
  ["a type without a word", [file("a/x.ts", "export type X = 1;")], /a\/x\.ts:1: X is exported without/],
])("findBreaches() finds %s", (_, sources, message) => {
  expect(findBreaches(sources)).toEqual([expect.stringMatching(message)]);
});
