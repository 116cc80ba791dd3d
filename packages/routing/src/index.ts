export type { Distribution, Rule, Share } from "./split/distribution.ts";
export type { Holder, Part, Pool, Viewpoint } from "./split/outlets.ts";
export { sharedZone } from "./split/outlets.ts";
export { distribute, effectiveTable, isWholeService } from "./split/distribution.ts";
export type { RequestFacts } from "./split/explain.ts";
export { explain, ruleMatches, splitPool } from "./split/explain.ts";
export { parseHeaderLines } from "./split/request-facts.ts";
export {
  claimant,
  covers,
  generationTarget,
  groupOf,
  isNamed,
  newestGeneration,
  pool,
  roleOf,
} from "./split/groups.ts";
export { isWaiting, listRoutes, listService } from "./split/listing.ts";
export { addRoute, describeTable, expireRoutes, removeRoute, setRoutes, withoutGeneration } from "./routes/change.ts";
export { parseSource } from "./routes/reading.ts";
export type { RouteChange, RouteWorld } from "./routes/world.ts";
