export * from "./client.ts";
export type { Connect, Connection, ConnectionEvents, ConnectTarget } from "./connection.ts";
export { connectWebSocket } from "./io/web-socket.ts";
export type { Position, CatalogUpdate } from "./core/catalog-replica.ts";
export type { TableDisk } from "./io/table-file.ts";
export { type LinkConfig, type LinkDeps, type LinkState, runLink } from "./link.ts";
export type { LinkHandler, LinkIdentity, LinkMessage, LinkSession, Subscription, Welcome } from "./session.ts";
export {
  type CatalogFollower,
  type TableFollowerConfig,
  type TableFollowerDeps,
  type TableStatus,
  openCatalogFollower,
} from "./catalog-follower.ts";
