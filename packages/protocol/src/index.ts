export type { Address, DirectoryAddress, ServiceAddress } from "./address.ts";
export {
  DEFAULT_DIRECTORY,
  DIRECTORY_PORT,
  formatDirectoryAddress,
  formatServiceAddress,
  hostPort,
  parseAddress,
  parseCallerAddress,
  parseDirectoryAddress,
  parseServiceAddress,
} from "./address.ts";
export * from "./api.ts";
export { DownTable } from "./down-table.ts";
export type { Distribution, Rule, Share } from "./distribution.ts";
export type { Holder, Part, Pool, Viewpoint } from "./outlets.ts";
export { sharedZone } from "./outlets.ts";
export { distribute, effectiveTable, isWholeService } from "./distribution.ts";
export { DURATION_MAX_MS, DURATION_RULE, formatDuration, parseDuration } from "./duration.ts";
export { answersAlike, endpointsOf } from "./endpoints.ts";
export type { ErrorCode } from "./errors.ts";
export { ERROR_CODES, ProtocolError } from "./errors.ts";
export type { ExplainedSessions, Explanation, RequestFacts } from "./explain.ts";
export { explain, ruleMatches, splitPool } from "./explain.ts";
export { claimant, covers, generationTarget, groupOf, isNamed, newestGeneration, pool, roleOf } from "./groups.ts";
export type { InstanceUrl, ServiceProtocol } from "./instance-url.ts";
export {
  isHostName,
  isIpLiteral,
  isLocalhost,
  isMachineLocal,
  parseInstanceUrl,
  PROTOCOLS,
  URL_LENGTH_MAX,
} from "./instance-url.ts";
export { isWaiting, listRoutes, listService } from "./listing.ts";
export type { Histogram } from "./histogram.ts";
export { addHistograms, bucketOf, bucketsOf, countOf, middleOf, quantileOf, toHistogram } from "./histogram.ts";
export type { Balance, Sticky, When } from "./matchers.ts";
export { parseBalance, parseSticky, parseWhen } from "./matchers.ts";
export * from "./messages.ts";
export * from "./model.ts";
export { compareIps, isInNetwork, parseIp } from "./ip-address.ts";
export { isName, NAME_PATTERN, NAME_RULE, parseName, quoteShort } from "./names.ts";
export { HEAD_LIMITS } from "./head-limits.ts";
export { hintAt, listShort, nearest } from "./nearest.ts";
export { loopbackAddresses, pickAddress } from "./pick-address.ts";
export { own } from "./own.ts";
export { formatPercent, parsePercent, SLOTS, slotsToPercent } from "./percent.ts";
export type { LeftOut, UnreadEntities } from "./read-entities.ts";
export {
  readEntities,
  readInstance,
  readRegistration,
  readRouteTable,
  readService,
  requireGeneration,
  requireSettings,
  subjectOf,
} from "./read-entities.ts";
export { addRoute, describeTable, expireRoutes, removeRoute, setRoutes, withoutGeneration } from "./routes/change.ts";
export { parseSource } from "./routes/reading.ts";
export type { RouteChange, RouteWorld } from "./routes/world.ts";
export type { Slots } from "./slots.ts";
export {
  ALL_SLOTS,
  apportion,
  assignSlots,
  countSlots,
  divideSlots,
  joinSlots,
  remainingSlots,
  takeSlots,
} from "./slots.ts";
export type { ServiceView, TableReader } from "./table.ts";
export { Table } from "./table.ts";
export type { Sectors } from "./table-sectors.ts";
export { countSectors, differingSectors, sectorsFor } from "./table-sectors.ts";
export type { Role, Token } from "./token.ts";
export { printable, printableDocument, printableJson } from "./printable.ts";
export { maskSecrets } from "./secrets.ts";
export { formatToken, parseToken, ROLES } from "./token.ts";
export type { Generation } from "./version.ts";
export {
  compareGenerations,
  describeGeneration,
  generationOf,
  meetsRequirement,
  parseGeneration,
  parseVersion,
  selectorMatches,
  VERSION_PATTERN,
  VERSION_RULE,
} from "./version.ts";
