import fc from "@datawire/protocol/testing/random";
import { expect, test } from "vitest";
import { z } from "zod";
import { formatProblem } from "./problem.ts";
import { durationSetting, listenOrOffSetting, portSetting } from "./setting-types.ts";
import { parseYamlFile } from "./yaml-file.ts";

const entry = z.strictObject({
  name: z.string().min(1),
  port: portSetting.optional(),
  admin: listenOrOffSetting.optional(),
  every: z.union([durationSetting, z.array(durationSetting)]).optional(),
  kind: z
    .discriminatedUnion("type", [
      z.strictObject({ type: z.literal("a"), size: z.int() }),
      z.strictObject({ type: z.literal("b") }),
    ])
    .optional(),
  headers: z.record(z.string().regex(/^[a-z-]+$/, "lower-case letters"), z.string()).optional(),
});

const schema = z.union([entry, z.array(entry)]);

/** Pieces that YAML gives a meaning to, in any order: most of it is broken in some new way. */
const fragment = fc.constantFrom(
  "name: ",
  "port: ",
  "admin: ",
  "every: ",
  "kind: ",
  "headers: ",
  "type: a",
  "type: c",
  "size: x",
  "- ",
  "\n",
  "\n  ",
  "\n\t",
  "? ",
  ": ",
  "[",
  "]",
  "{",
  "}",
  ",",
  "&a ",
  "*a",
  "!tag ",
  "<<: ",
  "${HOME}",
  "${NO}",
  "$${X}",
  "${",
  "'",
  '"',
  "|\n",
  ">-\n",
  "---\n",
  "...\n",
  "#",
  "%YAML 1.1\n",
  "3s",
  "1e999",
  ".nan",
  "0x1F",
  "~",
  "true",
  "2026-01-01",
  "\u0000",
  "\uD800",
  "\u{1F600}",
  "__proto__: ",
  "constructor: ",
  "\r\n",
);
const text = fc.oneof(
  { weight: 4, arbitrary: fc.array(fragment, { maxLength: 24 }).map((parts) => parts.join("")) },
  { weight: 1, arbitrary: fc.string({ unit: "binary", maxLength: 60 }) },
  { weight: 1, arbitrary: fc.json() },
);

test("parseYamlFile() answers any text with a value or with problems that have a place and one line", () => {
  fc.assert(
    fc.property(text, (input) => {
      const parsed = parseYamlFile(input, "f.yaml", { schema, env: { HOME: "/root" } });
      if (parsed.ok) return;
      expect(parsed.problems.length).toBeGreaterThan(0);
      for (const problem of parsed.problems)
        expect(formatProblem(problem)).toMatch(/^f\.yaml:[1-9]\d*:[1-9]\d*: [^\n]*[^\n ]$/);
    }),
    // A key may hold a line break: it was once shown as it is.
    { numRuns: 2_000, examples: [['? ---\n\n  "']] },
  );
});
