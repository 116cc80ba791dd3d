/**
 * What this costs and how fast it is beside other ways to the same end, on one machine:
 *
 *     node bench/peers/main.ts [--idle SECONDS] [--repeats COUNT] [--only NAME] [--consul PATH] [--fabio PATH]
 *                              [--consul-template PATH] [--traefik PATH] [--haproxy PATH] [--nginx PATH]
 *
 * Ten services of one instance each, checked once a second; the idle floor is that of SECONDS (30; an issue's figures are of
 * 300), registrations and new services are medians of COUNT (9). A program is taken from its option, else from PATH; a peer
 * that lacks one is left out, and said so. With three peers the whole takes four minutes, and 40 s a peer with `--idle 10`.
 */
import { ownFolder } from "../harness/no-remains.ts";
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { freePorts } from "@datawire/runtime/testing";
import { printLoad } from "../harness/print.ts";
import { isExecutable, programPath } from "../harness/programs.ts";
import { haproxy, nginx } from "./by-hand.ts";
import { fabio, template, traefik } from "./consul.ts";
import { Group } from "./group.ts";
import { DEATH_REQUESTS, type Figures, measure, SHARE_PERCENT } from "./measure.ts";
import { ours } from "./ours.ts";
import type { Peer } from "./peer.ts";

const PEERS: readonly Peer[] = [ours, nginx, haproxy, fabio, template, traefik];
const programs = [...new Set(PEERS.flatMap((peer) => peer.programs))];
const { values } = parseArgs({
  options: {
    idle: { type: "string", default: "30" },
    repeats: { type: "string", default: "9" },
    only: { type: "string", default: "" },
    ...Object.fromEntries(programs.map((program) => [program, { type: "string" as const }])),
  },
});
const given = new Map<string, unknown>(Object.entries(values));

const measured: { readonly name: string; readonly figures: Figures }[] = [];
for (const peer of PEERS.filter(({ name }) => name.includes(values.only))) {
  const missing = peer.programs.find((program) => find(program) === null);
  if (missing === undefined) measured.push({ name: peer.name, figures: await run(peer) });
  else console.log(`${peer.name} is left out: ${missing} is neither in PATH nor given as --${missing} PATH`);
}
print();
printLoad();

async function run(peer: Peer): Promise<Figures> {
  const folder = ownFolder("bench-peers-");
  mkdirSync(join(folder, "logs"));
  const group = new Group(join(folder, "logs"));
  const port = async (): Promise<number> => (await freePorts(1))[0] as number;
  try {
    const options = { idleSeconds: Number(values.idle), repeats: Number(values.repeats) };
    return await measure(peer, { folder, group, find, port }, options);
  } finally {
    await group.end();
  }
}

function find(program: string): string | null {
  const path = given.get(program);
  if (typeof path !== "string") return programPath(program);
  return isExecutable(path) ? path : null;
}

function print(): void {
  const rows: readonly (readonly [string, (figures: Figures) => string])[] = [
    ["memory, PSS, MB", ({ memoryMb }) => memoryMb.toFixed(0)],
    ["of a core, idle", ({ cpuPercent }) => `${cpuPercent.toFixed(2)}%`],
    ["start to the first answer of each service, ms", ({ startMs }) => startMs.toFixed(0)],
    ["registration to traffic, ms", ({ registrationMs }) => registrationMs.toFixed(0)],
    ["new service to traffic, ms", ({ newServiceMs }) => newServiceMs.toFixed(0)],
    [`failed of ${DEATH_REQUESTS} as one of several dies`, ({ deathFailed }) => String(deathFailed)],
    [
      `${SHARE_PERCENT}% beside 50 instances, of 10,000`,
      ({ sharePercent }) => (sharePercent === null ? "–" : `${sharePercent.toFixed(2)}%`),
    ],
    [
      "failed of 1,000 without the registry",
      ({ outageFailed }) => (outageFailed === null ? "no registry" : String(outageFailed)),
    ],
  ];
  console.log(`| | ${measured.map(({ name }) => name).join(" | ")} |`);
  console.log(`| --- |${" --- |".repeat(measured.length)}`);
  for (const [title, cell] of rows) {
    console.log(`| ${title} | ${measured.map(({ figures }) => cell(figures)).join(" | ")} |`);
  }
}
