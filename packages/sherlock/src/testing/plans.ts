import type { Catalog } from "@datawire/catalog";
import { runningOf } from "../core/model/commands.ts";
import { loadedBlocks } from "../core/model/files.ts";
import { MAP_NAMES, type Plan } from "../core/model/plan.ts";
import { NOT_CARRIED } from "../core/model/spares.ts";
import { describeStructure, type Running } from "../core/model/running.ts";
import { Planner, type PlanInputs, type PlannerConfig } from "../core/planner/planner.ts";
import type { RenderSettings } from "../core/render/template-view.ts";
import type { Round } from "../core/transition/transition.ts";
import { EVERY_FEATURE } from "./features.ts";
import { SESSION_IDS } from "./session-ids.ts";

/** What plans are made of in tests beside the table: every host but `localhost` is at 10.0.0.1, and nothing is excluded. */
export const INPUTS: PlanInputs = {
  resolve: (host) => ({ state: "known", address: host === "localhost" ? "127.0.0.1" : "10.0.0.1" }),
  portsTaken: new Map(),
  quarantined: new Map(),
  kept: new Map(),
  hasTable: true,
};

/** Settings of a configuration that nothing is run with. */
export const SETTINGS: RenderSettings = {
  version: "0.0.0",
  caller: "monolith",
  listen: ["127.0.0.1:5432", "[::1]:5432"],
  maxConnections: 4_096,
  hardStopAfter: "300000ms",
  accessLog: false,
  latencies: null,
  spans: null,
  explain: false,
  sockets: {
    runtime: "/run/r.sock",
    fallback: "/run/f.sock",
    handover: "/run/h.sock",
    stats: "/run/s.sock",
    pages: "/run/p.sock",
  },
  files: { serverState: "/run/servers.state" },
  maps: Object.fromEntries([...MAP_NAMES, "draw"].map((name) => [name, `/run/${name}.map`])) as RenderSettings["maps"],
  caFile: "@system-ca",
  features: EVERY_FEATURE,
  headerBytesMax: 20_480,
  spares: 0,
  browserHosts: ["localhost", "vm1"],
};

/** A planner for the caller `monolith`, with ports for TCP services. */
export function plannerOf(config: Partial<PlannerConfig> = {}): Planner {
  return new Planner({
    caller: "monolith",
    zone: null,
    overrides: new Map(),
    stickyIp: false,
    sessionIds: SESSION_IDS,
    explain: false,
    features: EVERY_FEATURE,
    tcp: { listen: new Map(), range: { from: 6_000, to: 6_999 } },
    ...config,
  });
}

/** The plan of a table by a planner that has seen no other. */
export function planOf(table: Catalog, config: Partial<PlannerConfig> = {}): Plan {
  return plannerOf(config).plan(table, INPUTS);
}

/** What `LoadedStructure.shared` is in tests. */
export const SHARED = "s";

/** An HAProxy that has just read the files of a plan, with spare backends of these names. */
export function justStarted(plan: Plan, spares: readonly string[] = []): Running {
  const loaded = describeStructure(plan.structure, { shared: SHARED, listen: [], spares, carried: NOT_CARRIED });
  return { loaded, ...runningOf(plan), blocks: loadedBlocks(plan) };
}

/** All that a plan says, in maps of its own: what two plans have to be equal in, however they came to be. */
export function contentsOf({ structure, servers, maps, blocks, needs, leads, views, problems }: Plan) {
  const { backends, tcpListeners, keys } = structure;
  return {
    backends: [...backends],
    sizes: [backends.size, servers.size, needs.size],
    tcpListeners,
    keys,
    servers: new Map(servers),
    maps: Object.fromEntries(MAP_NAMES.map((name) => [name, new Map(maps[name])])),
    blocks: new Map(blocks),
    needs: new Map(needs),
    leads: new Map(leads),
    views: new Map(views),
    problems,
  };
}

/** What a round comes to. Services in another order are as good: no command of one is about another. */
export function roundText({ commands, reload, now, settles }: Round) {
  return { commands: commands.map((command) => JSON.stringify(command)).sort(), reload, settles, now: contentsOf(now) };
}
