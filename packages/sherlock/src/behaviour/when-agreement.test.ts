import { explain } from "@datawire/routing";
import type { Catalog } from "@datawire/catalog";
import fc from "@datawire/protocol/testing/random";
import { afterAll, beforeAll, expect, test } from "vitest";
import { instance, routes, service, catalogOf } from "../testing/entities.ts";
import { ask } from "../testing/ask.ts";
import { type Echo, startEcho } from "../testing/echo.ts";
import { type Machine, startMachine } from "../testing/machine.ts";
import { freePort, removeFolder, temporaryFolder } from "../testing/places.ts";

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

let folder: string;
let machine: Machine;
let echoes: Echo[];
let table: Catalog;

beforeAll(async () => {
  folder = await temporaryFolder();
  const versions = ["1", ...Object.keys(CONDITIONS)];
  echoes = await Promise.all(versions.map((version) => startEcho(version)));
  table = catalogOf(
    service("a", { primary: "1" }),
    ...versions.map((version, order) =>
      instance("a", `i${version}`, { version, url: echoes[order]?.url ?? "", order }),
    ),
    routes(
      "a",
      Object.fromEntries(Object.entries(CONDITIONS).map(([version, when]) => [`//a(${version})`, { share: 0, when }])),
    ),
  );
  machine = await startMachine({ table, runDir: folder, port: await freePort() });
});

afterAll(async () => {
  await machine.stop();
  await Promise.all(echoes.map((echo) => echo.close()));
  await removeFolder(folder);
});

test("HAProxy and explain() choose alike for paths and queries that nobody would write by hand", async () => {
  const differing: string[] = [];
  const known = ["/?a=2;beta=1", "/?x?beta=1", "/?beta=2&beta=1", "/beta/x?a=2&beta=1"];
  for (const text of [...known, ...fc.sample(requests, { numRuns: REQUESTS })]) {
    const { seen } = await ask(machine.port, `/a${text}`);
    const said = explain(table, "a", { caller: "monolith", zone: null }, { path: text })?.shares[0]?.instances[0]?.name;
    if (`i${seen?.name}` !== said) differing.push(`${text}: HAProxy i${String(seen?.name)}, explain ${String(said)}`);
  }
  expect(differing).toEqual([]);
});
