export type { TrafficSplit, Rule, Share } from "./split/traffic-split.ts";
export type { Holder, Part, Pool, CallerContext } from "./split/destinations.ts";
export { sharedZone } from "./split/destinations.ts";
export { splitTraffic, effectiveTable, isWholeService } from "./split/traffic-split.ts";
export type { RequestFacts } from "./split/explain.ts";
export { explain, ruleMatches, splitPool } from "./split/explain.ts";
export { slotOf, slotOfTurn, TURNS } from "./split/draw.ts";
export { parseHeaderLines } from "./split/request-facts.ts";
export {
  bestMatch,
  covers,
  generationTarget,
  groupOf,
  isNamed,
  newestGeneration,
  pool,
  roleOf,
} from "./split/groups.ts";
export { isWaiting, listRoutes, listService } from "./split/listing.ts";
export {
  addRoute,
  describeTable,
  expireRoutes,
  removeRoute,
  setRoutes,
  withoutGeneration,
  withTarget,
} from "./routes/change.ts";
export { requireMatchable } from "./routes/checks.ts";
export { parseSource } from "./routes/reading.ts";
export type { RouteChange, RouteWorld } from "./routes/world.ts";
