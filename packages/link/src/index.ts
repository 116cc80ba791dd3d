export * from "./client.ts";
export type { Connect, Connection, ConnectionEvents, ConnectTarget } from "./connection.ts";
export { connectWebSocket } from "./io/web-socket.ts";
export type { Position, TableUpdate } from "./core/table-copy.ts";
export { type LinkConfig, type LinkDeps, type LinkState, runLink } from "./link.ts";
export type { LinkHandler, LinkIdentity, LinkMessage, LinkSession, Subscription, Welcome } from "./session.ts";
export {
  type TableFollower,
  type TableFollowerConfig,
  type TableFollowerDeps,
  type TableStatus,
  openTableFollower,
} from "./table-follower.ts";
