import { Agent } from "node:http";
import { join } from "node:path";
import { Catalog } from "@datawire/catalog";
import type { SherlockSettings } from "../config/settings.ts";
import type { HaproxyFeatures } from "../core/model/haproxy-version.ts";
import { type Answer, ask } from "./ask.ts";
import { type Echo, startEcho } from "./echo.ts";
import { catalogOf, type Entity, instance, routes, service } from "./entities.ts";
import { type Machine, startMachine } from "./machine.ts";
import { freePort, removeFolder, temporaryFolder } from "./places.ts";

/** A real HAProxy with instances that answer, which follows one table after the other. */
export interface Field {
  readonly table: Catalog;
  readonly machine: Machine;
  readonly echoes: readonly Echo[];
  /** Makes the table be of these, and resolves when HAProxy follows and no worker from before is left. */
  become(...entities: readonly Entity[]): Promise<void>;
  /** Asks over connections that are kept open until the table becomes another one. */
  ask(path: string, headers?: Record<string, string>): Promise<Answer>;
  close(): Promise<void>;
}

/** What a field is made with. */
export interface FieldOptions {
  /** The names of the instances that answer. */
  readonly echoes: readonly string[];
  readonly settings?: Partial<SherlockSettings>;
  readonly without?: Partial<HaproxyFeatures>;
  /** How many connections are kept open. Default: one. */
  readonly connections?: number;
}

/** Starts the instances and HAProxy, with an empty table. */
export async function openField({ echoes: names, connections = 1, ...options }: FieldOptions): Promise<Field> {
  const folder = await temporaryFolder();
  const echoes = await Promise.all(names.map((name) => startEcho(name)));
  const table = new Catalog();
  const machine = await startMachine({ table, runDir: join(folder, "run"), port: await freePort(), ...options });
  const open = (): Agent => new Agent({ keepAlive: true, maxSockets: connections });
  let agent = open();
  return {
    table,
    machine,
    echoes,
    async become(...entities) {
      // A connection that stays open would keep the worker that a reload replaces.
      agent.destroy();
      agent = open();
      await machine.follow(table.apply(table.changeTo(catalogOf(...entities).snapshot())));
      // An old worker that has not heard yet that it is to end takes connections too.
      await machine.settled();
    },
    ask: (path, headers) => ask(machine.port, path, headers, agent),
    async close() {
      agent.destroy();
      await machine.stop();
      await Promise.all(echoes.map((echo) => echo.close()));
      await removeFolder(folder);
    },
  };
}

/** A service `a` with an instance of each version, which one condition each leads to, and one of version 1 for the rest. */
export function conditional(conditions: Readonly<Record<string, string>>, urls: readonly string[]): Entity[] {
  const versions = ["1", ...Object.keys(conditions)];
  return [
    service("a", { primary: "1" }),
    ...versions.map((version, order) => instance("a", `i${version}`, { version, url: urls[order] ?? "", order })),
    routes(
      "a",
      Object.fromEntries(Object.entries(conditions).map(([version, when]) => [`//a(${version})`, { share: 0, when }])),
    ),
  ];
}

/**
 * Instances of a service in every group that these make: once HAProxy has them, tables of the same groups need no reload,
 * which costs more than all requests of a test.
 */
export function everyGroup(name: string, { versions, zones, urls }: GroupsOptions): Entity[] {
  const groups = versions.flatMap((version) => zones.flatMap((zone) => urls.map((url) => ({ version, zone, url }))));
  return groups.map((group, i) => instance(name, `g${i}`, { ...group, order: 1_000 + i }));
}

/** What tells groups apart; each combination is one. */
export interface GroupsOptions {
  readonly versions: readonly (string | null)[];
  readonly zones: readonly (string | null)[];
  readonly urls: readonly string[];
}
