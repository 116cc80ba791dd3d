import type { ConnectionEvents } from "@datawire/link";
import { type Chance, type Clock, createReadiness, type Logger, ProblemBoard } from "@datawire/runtime";
import { Registry } from "prom-client";
import { EVERYTHING } from "../access/grant.ts";
import { assembleDirectory, type Directory, type DirectoryConfig } from "../app/assemble.ts";
import { createMetrics } from "../app/metrics.ts";
import type { Tenant } from "../app/tenant.ts";
import type { Store } from "../store/contract.ts";
import { linkThroughMemory, type MemoryLink, type Wires } from "./memory-link.ts";

interface MemoryDirectoryDeps {
  readonly store: Store;
  readonly clock: Clock;
  readonly log: Logger;
  readonly chance: Chance;
}

/** A directory of which everything is real but its ports: links and requests come through memory. */
export interface MemoryDirectory {
  readonly directory: Directory;
  /** Those who share the table of those who have no tenant. */
  readonly tenant: Tenant;
  /** Opens a link to it. */
  link(events: ConnectionEvents, wires: Wires, onCode?: (code: number) => void): MemoryLink;
  /** Does what is due until the signal aborts, then saves what is not saved yet, and takes leave of the clients. */
  run(signal: AbortSignal): Promise<void>;
}

/** Loads what the store holds. */
export async function openMemoryDirectory(
  config: DirectoryConfig,
  { store, clock, log, chance }: MemoryDirectoryDeps,
): Promise<MemoryDirectory> {
  const readiness = createReadiness();
  readiness.seal();
  const directory = await assembleDirectory(config, {
    stores: {
      own: store,
      open: () => Promise.reject(new Error("Cannot open another store: there is one in memory")),
      listTenants: async () => [],
      listEnvironments: async () => [],
    },
    clock,
    log,
    chance,
    // Those of the process would be measured again for each directory in it.
    metrics: createMetrics(new Registry()),
    board: new ProblemBoard(),
    readiness,
    show: () => {},
  });
  const tenant = await directory.tenant(null);
  const accept = {
    peer: { address: "memory", local: true },
    sessions: tenant.links,
    permit: { grant: EVERYTHING, ended: () => null },
  };
  return {
    directory,
    tenant,
    link: (events, wires, onCode) => linkThroughMemory(directory.sessions, events, { wires, accept, onCode }),
    async run(signal) {
      await directory.run(signal);
      await directory.close();
    },
  };
}
