import type { Chance, Clock, Logger } from "@datawire/runtime";
import { ProblemBoard } from "@datawire/runtime";
import { EVERYTHING } from "../access/grant.ts";
import { openAccess } from "../access/open-access.ts";
import { openTenant, type Tenant } from "../app/tenant.ts";
import { LinkSessions } from "../link/sessions.ts";
import type { StateConfig } from "../registry/state.ts";
import type { Store } from "../store/contract.ts";
import { Logs } from "../traces/logs.ts";
import { MemoryTraces } from "../traces/trace-store.ts";
import { linkThroughMemory, type MemoryLink, type Wires } from "./memory-link.ts";
import type { ConnectionEvents } from "@datawire/link";

interface MemoryDirectoryDeps {
  readonly store: Store;
  readonly clock: Clock;
  readonly log: Logger;
  readonly chance: Chance;
}

/** A directory of which everything is real but its ports: links come through memory, and there is no HTTP. */
export interface MemoryDirectory {
  readonly tenant: Tenant;
  /** Opens a link to it. */
  link(events: ConnectionEvents, wires: Wires, onCode?: (code: number) => void): MemoryLink;
  /** Does what is due until the signal aborts, then takes leave of the clients and saves what is not saved yet. */
  run(signal: AbortSignal): Promise<void>;
}

/** A client hears something three times a lease. */
const HEARTBEATS_A_LEASE = 3;
/** How long clients may take to answer the good-bye. */
const LEAVE_MS = 1_000;

/** Loads what the store holds. */
export async function openMemoryDirectory(
  config: StateConfig & { readonly address: string },
  { store, clock, log, chance }: MemoryDirectoryDeps,
): Promise<MemoryDirectory> {
  const { address, leaseMs } = config;
  const access = await openAccess(
    { protection: { auth: "none", tls: "off" }, folder: "", names: [] },
    {
      store,
      openTenantStore: () => Promise.reject(new Error("Cannot open a tenant: there are none in memory")),
      listTenants: () => Promise.resolve([]),
      listEnvironments: () => Promise.resolve([]),
      clock,
      log,
      board: new ProblemBoard(),
      show: () => {},
    },
  );
  const table = await access.storeOf({ tenant: null, environment: null });
  const nothing = (): void => {};
  const tenant = await openTenant(config, {
    store: table,
    clock,
    log,
    chance,
    metrics: { storing: () => nothing, published: nothing, refused: nothing, recorded: nothing },
    surroundings: {
      store,
      tokens: access.tokens,
      address,
      startedMs: clock.nowMs(),
      warnings: [],
      problems: () => [],
      tenants: null,
      logs: new Logs(new MemoryTraces()),
      originals: () => null,
    },
  });
  const heartbeatMs = Math.max(1, Math.round(leaseMs / HEARTBEATS_A_LEASE));
  const sessions = new LinkSessions({ heartbeatMs, leaseMs, directory: address }, { clock, log });
  const accept = {
    peer: { address: "memory", local: true },
    executor: tenant.links,
    permit: { grant: EVERYTHING, ended: () => null },
  };
  return {
    tenant,
    link: (events, wires, onCode) => linkThroughMemory(sessions, events, { wires, accept, onCode }),
    async run(signal) {
      await tenant.keepHouse(signal);
      await tenant.leave();
      sessions.leave();
      await clock.sleep(LEAVE_MS);
      await tenant.close();
    },
  };
}
