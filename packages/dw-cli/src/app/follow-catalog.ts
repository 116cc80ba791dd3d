import { randomUUID } from "node:crypto";
import { hostname } from "node:os";
import type { Catalog } from "@datawire/catalog";
import { type CatalogUpdate, type LinkState, openCatalogFollower, runLink } from "@datawire/link";
import type { Proof } from "@datawire/link/client";
import { type DirectoryAddress, isName } from "@datawire/protocol";
import { ExitError, VERSION, createLog, exitCodes, systemClock } from "@datawire/runtime";
import type { CommonOptions } from "../grammar/common-options.ts";

interface Surroundings extends Proof {
  readonly common: CommonOptions;
  readonly directories: readonly DirectoryAddress[];
  /** Ends the following; aborted by it too when the directory refuses `dw`, which is thrown. */
  readonly stop: AbortController;
}

/**
 * Follows the whole table over a link until it is stopped, and calls `onUpdate` with each change. A module of its own,
 * as most commands ask once and need neither the link nor a log.
 */
export async function followCatalog(
  { common, directories, token, tls, stop }: Surroundings,
  onUpdate: (table: Catalog, update: CatalogUpdate) => void,
): Promise<void> {
  const log = createLog({ name: "dw", level: common.logLevel, format: common.logFormat });
  const follower = await openCatalogFollower(
    { services: null, path: null },
    { clock: systemClock, log, onUpdate: (update) => onUpdate(follower.table, update) },
  );
  const { environment } = common;
  const own = { kind: "dw", name: hostName(), id: randomUUID(), version: VERSION } as const;
  const identity = { ...own, ...(environment !== undefined && { environment }) };
  let denial = null as string | null;
  const onState = (state: LinkState): void => {
    if (state.state !== "waiting" || !state.denied) return;
    denial = state.reason;
    stop.abort();
  };
  await runLink(
    { replicas: directories, identity, token, tls, subscribe: follower.subscription },
    { clock: systemClock, log, random: Math.random, handler: follower, onState },
    stop.signal,
  );
  if (denial !== null) throw new ExitError(exitCodes.notAllowed, `Cannot follow the directory: ${denial}`);
}

function hostName(): string {
  const name = hostname().toLowerCase();
  return isName(name) ? name : "dw";
}
