import { isBlockMap } from "./block-lines.ts";
import type { MapName, Plan, PlannedBlock, PlannedServer } from "./plan.ts";
import { BLOCK_SIZE } from "./prefixes.ts";
import type { Running, RunningBlock, RunningServer } from "./running.ts";

/** One change of data in a running HAProxy. */
export type Command =
  | { readonly kind: "add-server"; readonly backend: string; readonly server: PlannedServer }
  | {
      readonly kind: "set-server";
      readonly backend: string;
      readonly name: string;
      /** What changes. */
      readonly change: Partial<Pick<RunningServer, "address" | "port" | "weight" | "ready">>;
    }
  | { readonly kind: "map"; readonly map: MapName | "draw"; readonly action: MapAction }
  /** A backend takes a spare one, for as long as this configuration is in use. */
  | { readonly kind: "take-spare"; readonly backend: string; readonly spare: string }
  /** Only in our own books: which half of a pair is in use. */
  | {
      readonly kind: "block";
      readonly base: number;
      readonly half: 0 | 1;
      readonly lines: RunningBlock["lines"] | null;
      readonly block: PlannedBlock | null;
    };

/** A change of one entry of a map. */
export type MapAction =
  | { readonly do: "add" | "set"; readonly key: string; readonly value: string }
  | { readonly do: "delete"; readonly key: string };

/** The backends whose servers some commands change. */
export function backendsOf(commands: Iterable<Command>): Set<string> {
  const backends = new Set<string>();
  for (const command of commands)
    if (command.kind === "add-server" || command.kind === "set-server") backends.add(command.backend);
  return backends;
}

/** Notes in `running` what a command does. */
export function note(running: Running, command: Command): void {
  switch (command.kind) {
    case "add-server":
      return noteServer(running, command.backend, command.server.name, command.server);
    case "set-server": {
      const server = running.servers.get(command.backend)?.get(command.name);
      if (server !== undefined) noteServer(running, command.backend, command.name, { ...server, ...command.change });
      return;
    }
    case "map": {
      if (isBlockMap(command.map)) return; // in `blocks`
      const map = running.maps[command.map];
      const { action } = command;
      if (action.do === "delete") map.delete(action.key);
      else map.set(action.key, action.value);
      return;
    }
    case "take-spare":
      running.carried.set(command.backend, command.spare);
      return;
    case "block": {
      const { base, half, lines, block } = command;
      if (lines === null) running.blocks.delete(base);
      else running.blocks.set(base, { half, lines, block });
    }
  }
}

/** The base of the half that is in use. */
export function halfBase(base: number, half: 0 | 1): number {
  return base + half * BLOCK_SIZE;
}

/** A running state that already is what a plan wants, as after a reload. */
export function runningOf(
  plan: Pick<Plan, "servers" | "maps" | "carried">,
): Pick<Running, "servers" | "maps" | "carried"> {
  const servers = new Map<string, Map<string, RunningServer>>();
  for (const [backend, members] of plan.servers) servers.set(backend, new Map(members));
  const maps = Object.fromEntries(Object.entries(plan.maps).map(([name, map]) => [name, new Map(map)]));
  return { servers, maps: maps as Running["maps"], carried: new Map(plan.carried) };
}

function noteServer(running: Running, backend: string, name: string, server: RunningServer): void {
  const { address, port, weight, ready, id } = server;
  const members = running.servers.get(backend) ?? new Map<string, RunningServer>();
  members.set(name, { address, port, weight, ready, id });
  running.servers.set(backend, members);
}
