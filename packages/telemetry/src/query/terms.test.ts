import { expect, test } from "vitest";
import type { EventRecord, SpanRecord } from "../model/records.ts";
import { IndexWords, wordsFor } from "./index-words.ts";
import { eventMatches, parseTerms, spanMatches } from "./terms.ts";

const resource = {
  service: "shop",
  version: "1.2",
  instance: "vm1",
  node: "vm1",
  environment: "sandbox",
  attributes: { "k8s.pod": "shop-7f" },
};
const span: SpanRecord = {
  traceId: "t",
  spanId: "s",
  parentId: null,
  name: "GET /checkout",
  kind: "server",
  start: 0,
  durationMs: 1,
  status: "error",
  message: "Card was declined",
  scope: "http",
  attributes: { "user.id": 42, "http.route": "/a b", admin: false },
  resource,
};
const event: EventRecord = {
  traceId: null,
  spanId: null,
  clock: [],
  timestamp: 0,
  level: "ERROR",
  category: "pay",
  text: "No money left for Ünal",
  attributes: {},
  resource,
};

test.each([
  ["a b", ["a", "b"]],
  ['"a b" c', ["a b", "c"]],
  ["user.id=42", ["user.id=42"]],
  ['route="/a b"', ["route=/a b"]],
  ["/api/v1", ["api v1"]],
  ['"unended', ["unended"]],
  ["=", []],
  ["", []],
])("parseTerms() of %s finds %j", (query, expected) => {
  const shown = parseTerms(query).map((term) =>
    term.kind === "pair" ? `${term.key}=${term.value}` : term.words.join(" "),
  );
  expect(shown).toEqual(expected);
});

test.each([
  ["checkout", true],
  ["CHECKOUT", true],
  ["check", false],
  ['"card was"', true],
  ['"was card"', false],
  ['"checkout card"', false],
  ["/checkout", true],
  ["user.id=42", true],
  ["user.id=4", false],
  ["42", true],
  ['http.route="/A b"', true],
  ["admin=false", true],
  ["k8s.pod=shop-7f", true],
  ["service=shop", true],
  ["service.name=shop", true],
  ["service.version=1.2", true],
  ["instance=vm1", true],
  ["status=error", true],
  ["status=ok", false],
  ["kind=server", true],
  ['name="get /checkout"', true],
  ["constructor=x", false],
  ["toString", false],
])("spanMatches() for %s is %s, and what matches is found by its words", (query, expected) => {
  const terms = parseTerms(query);
  expect(terms.every((term) => spanMatches(span, term))).toBe(expected);
  if (!expected) return;
  const words = new IndexWords();
  words.span(span);
  const indexed = words.toString().split(" ");
  for (const term of terms) expect(indexed).toEqual(expect.arrayContaining([...wordsFor(term)]));
});

test.each([
  ["money", true],
  ['"money left"', true],
  ["ünal", true],
  ["level=error", true],
  ["level=info", false],
  ["category=pay", true],
  ["environment=sandbox", true],
  ["node=vm1", true],
])("eventMatches() for %s is %s, and what matches is found by its words", (query, expected) => {
  const terms = parseTerms(query);
  expect(terms.every((term) => eventMatches(event, term))).toBe(expected);
  if (!expected) return;
  const words = new IndexWords();
  words.event(event);
  const indexed = words.toString().split(" ");
  for (const term of terms) expect(indexed).toEqual(expect.arrayContaining([...wordsFor(term)]));
});
