import type { Store } from "../store/contract.ts";
import { PeerReplicator } from "./peer-replicator.ts";
import type { PeerReplicatorDeps, Replicator } from "./replicator.ts";
import { SnapshotReplicator } from "./snapshot-replicator.ts";

/** The replicator for a store. */
export function createReplicator(deps: PeerReplicatorDeps & { readonly store: Store }): Replicator {
  const { replication } = deps.store;
  return replication.kind === "peers"
    ? new PeerReplicator(replication, deps)
    : new SnapshotReplicator(replication, deps);
}
