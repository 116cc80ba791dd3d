export type { Address, DirectoryAddress, ServiceAddress } from "./addresses/address.ts";
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
} from "./addresses/address.ts";
export {
  DURATION_MAX_MS,
  DURATION_RULE,
  formatDuration,
  parseDuration,
  parseTimeLimit,
  TIME_LIMIT_MAX_MS,
} from "./words/duration.ts";
export { answersAlike, ENDPOINT_INSTANCES_MAX, endpointsOf } from "./addresses/endpoints.ts";
export type { ErrorBody, ErrorCode } from "./words/errors.ts";
export { ERROR_CODES, httpStatus, ProtocolError } from "./words/errors.ts";
export type { InstanceUrl, ServiceProtocol } from "./addresses/instance-url.ts";
export {
  familyOf,
  isHostName,
  isIpLiteral,
  isLocalhost,
  isMachineLocal,
  parseInstanceUrl,
  protocolOfUrl,
  PROTOCOLS,
  URL_LENGTH_MAX,
} from "./addresses/instance-url.ts";
export type { Histogram } from "./wire/histogram.ts";
export {
  addHistograms,
  bucketEnd,
  bucketOf,
  bucketsOf,
  countOf,
  middleOf,
  quantileOf,
  toHistogram,
} from "./wire/histogram.ts";
export type { Balance, Sticky, When } from "./words/matchers.ts";
export { parseBalance, parseSticky, parseWhen } from "./words/matchers.ts";
export type { LoggedEvent, LogLevelWord } from "./wire/log-events.ts";
export {
  LOG_LEVELS,
  logEventSchema,
  LOG_TEXT_LENGTH_MAX,
  LOGS_MESSAGE_EVENTS_MAX,
  TRACE_ID_LENGTH_MAX,
} from "./wire/log-events.ts";
export * from "./wire/client-messages.ts";
export { BUCKET_DIGITS, BUCKETS_MAX } from "./wire/digests.ts";
export * from "./wire/limits.ts";
export * from "./wire/access.ts";
export * from "./wire/certificates.ts";
export * from "./wire/router-report.ts";
export { type AddressPattern, comparePatterns, matchPattern, parsePattern } from "./addresses/address-pattern.ts";
export { ADDRESS_BYTES_MAX, SEGMENT_PATTERN, SEGMENT_RULE } from "./addresses/address-segment.ts";
export * from "./wire/server-messages.ts";
export * from "./entities/model.ts";
export { compareIps, isInNetwork, parseIp } from "./addresses/ip-address.ts";
export { isName, NAME_PATTERN, NAME_RULE, parseName, quoteShort } from "./words/names.ts";
export { HEAD_LIMITS } from "./words/head-limits.ts";
export { hintAt, listShort, nearest } from "./words/nearest.ts";
export { loopbackAddresses, pickAddress } from "./addresses/pick-address.ts";
export { own } from "./words/own.ts";
export { formatPercent, parsePercent, SLOTS, slotsToPercent } from "./words/percent.ts";
export type { LeftOut, UnreadEntities } from "./entities/read-entities.ts";
export {
  readEntities,
  readInstance,
  readRegistration,
  readRouteTable,
  readService,
  requireGeneration,
  requireSettings,
  subjectOf,
} from "./entities/read-entities.ts";
export type { Slots } from "./entities/slots.ts";
export {
  ALL_SLOTS,
  apportion,
  assignSlots,
  countSlots,
  divideSlots,
  joinSlots,
  remainingSlots,
  takeSlots,
} from "./entities/slots.ts";
export type { Role, Token } from "./words/token.ts";
export { printable, printableDocument, printableJson } from "./words/printable.ts";
export { maskSecrets } from "./words/secrets.ts";
export { formatToken, parseToken, ROLES } from "./words/token.ts";
export type { Generation } from "./words/version.ts";
export {
  compareGenerations,
  describeGeneration,
  generationOf,
  isNumeric,
  selectorLength,
  meetsRequirement,
  parseGeneration,
  parseVersion,
  selectorMatches,
  VERSION_PATTERN,
  VERSION_RULE,
} from "./words/version.ts";
export * from "./wire/message-words.ts";
