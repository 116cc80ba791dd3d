import { explain } from "@datawire/routing";
import fc from "@datawire/protocol/testing/random";
import { afterAll, beforeAll, expect, test } from "vitest";
import { conditional, type Field, openField } from "../testing/field.ts";

/** What conditions on paths and queries mean to the real HAProxy, against what `dw explain` makes of the same text. */

const REQUESTS = 400;
/** By the version that each leads to. */
const CONDITIONS = {
  2: "query:beta=1",
  3: "path:/beta",
  4: "path:/beta/x",
  5: "query:a=2",
  6: "path:/be%74a",
} as const;

/** Of what queries are made, and what only looks so: every delimiter, the name as a part of others, escapes, nothing. */
const query = fc.array(
  fc.constantFrom(
    ..."beta=1 beta=1 beta=2 beta beta= = & & ; ? / a=2 xbeta=1 betax=1 beta=11 BETA=1".split(" "),
    ..."%26 %3D beta%3D1 be%74a=1 + beta==1 beta=1=1 , [] ' | ~".split(" "),
  ),
  { maxLength: 7 },
);
const path = fc.array(
  fc.constantFrom(
    "/",
    "/",
    "/beta",
    "/beta/x",
    "/x",
    "x",
    "beta",
    "BETA",
    "be%74a",
    ".",
    "..",
    ";",
    "%2F",
    "%3F",
    "=",
    "&",
  ),
  { maxLength: 4 },
);
const requests = fc.record({ path, query, hasQuery: fc.boolean() }).map((made) => {
  const text = made.path.join("");
  const rest = text === "" || text.startsWith("/") ? text : `/${text}`;
  return made.hasQuery ? `${rest}?${made.query.join("")}` : rest;
});

let field: Field;

beforeAll(async () => {
  field = await openField({ echoes: ["1", ...Object.keys(CONDITIONS)] });
  const urls = field.echoes.map(({ url }) => url);
  await field.become(...conditional(CONDITIONS, urls));
});

afterAll(() => field?.close());

test("HAProxy and explain() choose alike for paths and queries that nobody would write by hand", async () => {
  const differing: string[] = [];
  const known = ["/?a=2;beta=1", "/?x?beta=1", "/?beta=2&beta=1", "/beta/x?a=2&beta=1"];
  for (const text of [...known, ...fc.sample(requests, { numRuns: REQUESTS })]) {
    const { seen } = await field.ask(`/a${text}`);
    const said = explain(field.table, "a", { caller: "monolith", zone: null }, { path: text })?.shares[0]?.instances[0]
      ?.name;
    if (`i${seen?.name}` !== said) differing.push(`${text}: HAProxy i${String(seen?.name)}, explain ${String(said)}`);
  }
  expect(differing).toEqual([]);
});
