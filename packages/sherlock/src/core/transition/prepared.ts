import { joinKeys } from "../model/keys.ts";
import { ID_MAX } from "../planner/placement.ts";
import type { Plan, PlannedServer, Structure } from "../model/plan.ts";
import { NOT_CARRIED } from "../model/spares.ts";

/**
 * The plan of a reload: the structure that is wanted, with the requests still as they are now. So a new worker decides
 * as the one before it does, and what changes is changed afterwards by commands, as a whole.
 */
export function preparedFor(wanted: Plan, now: Plan): Plan {
  if (wanted === now) return wanted;
  const servers = new Map<string, ReadonlyMap<string, PlannedServer>>([...now.servers, ...wanted.servers]);
  for (const [backend, members] of now.servers) {
    const others = wanted.servers.get(backend);
    if (others !== undefined) servers.set(backend, joinServers(members, others));
  }
  const structure = joinStructures(now.structure, wanted.structure);
  // What stands in a spare backend gets one of its own.
  return { ...now, structure, servers, problems: wanted.problems, carried: NOT_CARRIED };
}

/** A plan in the structure of an earlier one, of which it no longer needs everything. */
export function inStructureOf(plan: Plan, earlier: Plan): Plan {
  return { ...plan, structure: joinStructures(earlier.structure, plan.structure) };
}

/** What the two have; the later one says how a backend is that both have, and where is listened. */
function joinStructures(earlier: Structure, later: Structure): Structure {
  const backends = [...new Map([...earlier.backends, ...later.backends])];
  const lengths = new Set([...earlier.keys.baseLengths, ...later.keys.baseLengths]);
  return {
    backends: new Map(backends.sort(([a], [b]) => (a < b ? -1 : 1))),
    tcpListeners: later.tcpListeners,
    keys: { ...joinKeys([earlier.keys, later.keys]), baseLengths: [...lengths].sort((a, b) => a - b) },
  };
}

/** The servers of now as they are, and the others waiting for their command. Ids can only be had from the configuration. */
function joinServers(
  now: ReadonlyMap<string, PlannedServer>,
  wanted: ReadonlyMap<string, PlannedServer>,
): Map<string, PlannedServer> {
  const joined = new Map([...wanted].map(([name, server]) => [name, { ...server, ready: false }]));
  const taken = new Set([...wanted.values()].map(({ id }) => id));
  for (const [name, server] of now) {
    let id = joined.get(name)?.id ?? server.id;
    while (!joined.has(name) && taken.has(id)) id = (id % ID_MAX) + 1;
    taken.add(id);
    joined.set(name, { ...server, id });
  }
  return joined;
}
