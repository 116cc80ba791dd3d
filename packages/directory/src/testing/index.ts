// What a simulation makes directories of.
export { planRouteSet } from "../changes/routes.ts";
export { StoreError, type Store } from "../store/contract.ts";
export { MemoryStore } from "./memory/memory-store.ts";
export type { MemoryLink, Wire, Wires } from "./memory/memory-link.ts";
export { loneStore, type MemoryDirectory, openMemoryDirectory } from "./memory/memory-directory.ts";
export { MemoryEtcd } from "./memory/memory-etcd.ts";
export { TEST_CONFIG } from "./config.ts";
