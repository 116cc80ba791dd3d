import type { ConnectionEvents } from "@datawire/link";
import { type Chance, type Clock, createReadiness, type Logger, ProblemBoard } from "@datawire/runtime";
import { Registry } from "prom-client";
import { assembleDirectory, type Directory, type DirectoryConfig } from "../../app/assemble.ts";
import { createMetrics } from "../../app/metrics.ts";
import type { Tenant } from "../../app/tenant.ts";
import type { Store } from "../../store/contract.ts";
import type { DirectoryStores } from "../../store/realm.ts";
import { requestInMemory } from "./ask-in-memory.ts";
import { linkThroughMemory, type MemoryLink, type Wires } from "./memory-link.ts";

interface MemoryDirectoryDeps {
  readonly stores: DirectoryStores;
  readonly clock: Clock;
  readonly log: Logger;
  readonly chance: Chance;
}

/** Whom a link says that it is. */
export interface LinkCredentials {
  readonly token?: string;
  /** Told the code with which the link has ended, which a client of ours does not look at. */
  readonly onCode?: (code: number) => void;
}

/** A directory of which everything is real but its ports: links and requests come through memory. */
export interface MemoryDirectory {
  readonly directory: Directory;
  /** Those who share the table of those who have no tenant. */
  readonly tenant: Tenant;
  /** Opens a link to it. */
  link(events: ConnectionEvents, wires: Wires, credentials?: LinkCredentials): MemoryLink;
  /** Does what is due until the signal aborts, then saves what is not saved yet, and takes leave of the clients. */
  run(signal: AbortSignal): Promise<void>;
}

/** The stores of a directory of which there is but one. */
export const loneStore = (own: Store): DirectoryStores => ({
  own,
  open: () => Promise.reject(new Error("Cannot open another store: there is one in memory")),
  listTenants: async () => [],
  listEnvironments: async () => [],
});

/** Loads what the store holds. */
export async function openMemoryDirectory(
  config: DirectoryConfig,
  { stores, clock, log, chance }: MemoryDirectoryDeps,
): Promise<MemoryDirectory> {
  const readiness = createReadiness();
  readiness.seal();
  const directory = await assembleDirectory(config, {
    stores,
    clock,
    log,
    chance,
    // Those of the process would be measured again for each directory in it.
    metrics: createMetrics(new Registry()),
    board: new ProblemBoard(),
    readiness,
    show: () => {},
  });
  const { admit, sessions } = directory.links;
  return {
    directory,
    tenant: await directory.tenant(null),
    link(events, wires, { token, onCode } = {}) {
      const headers = token === undefined ? {} : { authorization: `Bearer ${token}` };
      const request = requestInMemory({ method: "GET", path: "/v1/link", headers });
      const peer = { address: "memory", local: true };
      return linkThroughMemory(sessions, events, {
        wires,
        admit: async () => ({ ...(await admit(request)), peer }),
        onCode,
      });
    },
    async run(signal) {
      await directory.run(signal);
      await directory.close();
    },
  };
}
