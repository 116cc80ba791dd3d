export * from "./client/index.ts";
export type { Connect, Connection, ConnectionEvents, ConnectTarget } from "./transport/connection.ts";
export { connectWebSocket } from "./transport/web-socket.ts";
export type { Position, CatalogUpdate } from "./core/catalog-replica.ts";
export { ReportPace } from "./core/report-pace.ts";
export type { TableDisk } from "./follower/table-file.ts";
export { type LinkConfig, type LinkDeps, type LinkState, runLink } from "./session/link.ts";
export type {
  LinkHandler,
  LinkIdentity,
  LinkMessage,
  LinkSession,
  Subscription,
  Welcome,
} from "./session/link-handler.ts";
export { ProblemTeller } from "./session/problem-teller.ts";
export {
  type CatalogFollower,
  type CatalogFollowerConfig,
  type CatalogFollowerDeps,
  type CatalogStatus,
  openCatalogFollower,
} from "./follower/catalog-follower.ts";
