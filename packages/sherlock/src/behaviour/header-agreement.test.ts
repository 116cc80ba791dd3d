import type { Catalog } from "@datawire/catalog";
import { explain, parseHeaderLines } from "@datawire/routing";
import fc from "@datawire/protocol/testing/random";
import { afterAll, beforeAll, expect, test } from "vitest";
import { catalogOf } from "../testing/entities.ts";
import { conditional } from "../testing/field.ts";
import { type Machine, startMachine } from "../testing/machine.ts";
import { freePort, removeFolder, temporaryFolder } from "../testing/places.ts";
import { exchange, ok, type RawInstance, requestOf, startRaw } from "../testing/raw.ts";

/** What conditions on headers and cookies mean to the real HAProxy, against what `dw explain` makes of the same lines. */

const REQUESTS = 500;
/** By the version that each leads to. */
const CONDITIONS = {
  2: "header:X-Beta=1",
  3: "cookie:b=1",
  4: 'cookie:c="1;2"',
  5: "header:X-Beta=1,2",
  6: "cookie:C=1",
  7: "header:Cookie=b=2",
} as const;

const headerValue = fc
  .array(fc.constantFrom("1", "1", "2", ",", " ", "\t", "\xe9", '"', "1,2"), { maxLength: 4 })
  .map((parts) => parts.join(""));
const cookieValue = fc
  .array(
    fc.constantFrom(
      "b=1",
      "b=1",
      "b=2",
      "c=1",
      "C=1",
      'c="1;2"',
      "c=1;2",
      "b",
      "b=",
      "=1",
      "=",
      ";",
      "; ",
      ",",
      " ",
      "\t",
      '"',
      "$b=1",
      "xb=1",
      "bx=1",
      'b="1"',
      "b = 1",
      "b=1=1",
      "b=\\",
      '"b=1"',
      "%62=1",
      "b=%31",
      "\xe9=1",
      "b=\xe9",
      "\\",
    ),
    { maxLength: 6 },
  )
  .map((parts) => parts.join(""));
const line = fc.oneof(
  fc.tuple(fc.constantFrom("X-Beta", "x-beta", "X-BETA"), headerValue),
  fc.tuple(fc.constantFrom("Cookie", "cookie"), cookieValue),
  fc.tuple(fc.constantFrom("Cookie", "cookie"), cookieValue),
);
const lines = fc
  .array(line, { maxLength: 4 })
  .map((made) => made.map(([name, value]) => `${name}:${value === "" ? "" : ` ${value}`}`));

let folder: string;
let machine: Machine;
let raws: RawInstance[];
let table: Catalog;

beforeAll(async () => {
  folder = await temporaryFolder();
  const versions = ["1", ...Object.keys(CONDITIONS)];
  raws = await Promise.all(versions.map((version) => startRaw(() => ok([`x-version: ${version}`]))));
  table = catalogOf(
    ...conditional(
      CONDITIONS,
      raws.map(({ url }) => url),
    ),
  );
  machine = await startMachine({ table, runDir: folder, port: await freePort() });
});

afterAll(async () => {
  await machine.stop();
  for (const raw of raws) raw.close();
  await removeFolder(folder);
});

test("HAProxy and explain() choose alike for headers and cookies that nobody would write by hand", async () => {
  const known = [
    ["X-Beta: 1"],
    ["X-Beta: 2", "x-beta: 1"],
    ["X-Beta: 1", "x-beta: 2"],
    ["Cookie: b=1; b=2"],
    ["Cookie: b=2, b=1"],
    ["Cookie: b=1", "Cookie: b=2"],
    ['Cookie: c="1;2"'],
    ["Cookie: b=1; b="],
    ["Cookie: b=1; b= "],
  ];
  const differing: string[] = [];
  for (const sent of [...known, ...fc.sample(lines, { numRuns: REQUESTS })]) {
    const answer = await exchange(machine.port, requestOf("GET /a/x HTTP/1.1", "Host: localhost", ...sent));
    const found = `i${/^x-version: (\d)/m.exec(answer)?.[1] ?? answer.slice(0, 20)}`;
    const facts = parseHeaderLines(sent);
    const said = explain(table, "a", { caller: "monolith", zone: null }, facts)?.shares[0]?.instances[0]?.name;
    if (found !== said) differing.push(`${JSON.stringify(sent)}: HAProxy ${found}, explain ${String(said)}`);
  }
  expect(differing).toEqual([]);
});
