import { expect, test } from "vitest";
import { readPosition, readTails, writePosition, writeTails } from "./positions.ts";
import { logsQuestion, tracesQuestion } from "./questions.ts";

const NOW = Date.parse("2026-11-30T12:00:00Z");

test.each([
  [{}, null],
  [{ since: "15m" }, NOW - 900_000],
  [{ since: "90" }, NOW - 90_000],
  [{ since: "2026-11-30T11:00:00Z" }, NOW - 3_600_000],
  [{ since: String(NOW - 5) }, NOW - 5],
  [{ from: String(NOW - 7) }, NOW - 7],
  [{ from: "1970-01-01T00:00:01Z", since: "1h" }, NOW - 3_600_000],
])("tracesQuestion() of %j begins at %j", (query, expected) => {
  expect(tracesQuestion(query, NOW).fromMs).toBe(expected);
});

test("tracesQuestion() and logsQuestion() read what is asked for", () => {
  expect(tracesQuestion({ error: "true", min: "250ms", level: "warn", service: "//shop", limit: "1000" }, NOW)).toEqual(
    {
      of: "traces",
      terms: [],
      service: "shop",
      level: "WARN",
      fromMs: null,
      toMs: null,
      limit: 1_000,
      cursor: null,
      failed: true,
      minMs: 250,
    },
  );
  const asked = logsQuestion({ instance: "//shop@vm1", trace: "AB-cd" }, NOW);
  expect(asked).toMatchObject({ instance: "vm1", trace: "abcd", after: null });
});

test.each([
  [{ limit: "1001" }, /"1001" as limit: wanted a number from 1 to 1000/],
  [{ limit: "0" }, /as limit: wanted a number from 1 to 1000/],
  [{ level: "loud" }, /as level: wanted one of CRITICAL/],
  [{ since: "soon" }, /soon/],
  [{ to: "soon" }, /as to: wanted a moment/],
  [{ error: "yes" }, /as error: wanted true or false/],
  [{ min: "long" }, /as a duration/],
  [{ cursor: "x" }, /Cannot use this cursor/],
  [{ q: "x".repeat(3_000) }, /Cannot use q: it has 3000 characters/],
])("tracesQuestion() refuses %j", (query, message) => {
  expect(() => tracesQuestion(query, NOW)).toThrow(message);
});

test("positions and tails come back as they were written", () => {
  const position = { atMs: 1_796_011_228_000.123, key: "trace ~ü/%" };
  expect(readPosition(writePosition(position))).toEqual(position);
  const tails = new Map([["//localhost:5430/directory", [498_892_000, 17] as const]]);
  expect(readTails(writeTails(tails))).toEqual(tails);
  expect(() => readTails("e30")).toThrow("Cannot use this after");
});
