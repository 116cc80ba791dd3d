export {
  endWithRefusal,
  errorBody,
  jsonAnswer,
  pathOf,
  queryOf,
  type RawRefusal,
  send,
  sendJson,
  sendWhole,
  takesGzip,
  type WholeAnswer,
} from "./exchange/answer.ts";
export {
  type BodyRoom,
  discardRest,
  readBoundedBody,
  readFileBody,
  readJson,
  type WholeBody,
} from "./exchange/body.ts";
export { healthHandler, metricsHandler, type PageHandler, readOnly, readyHandler } from "./exchange/pages.ts";
export {
  type AdminConfig,
  type AdminDeps,
  type AdminServer,
  startAdmin,
  type StartAdmin,
} from "./server/admin-server.ts";
export { type ConnectionBound } from "./server/connection-limit.ts";
export { foreignRequest, type RequestOrigin } from "./server/foreign-request.ts";
export { networkOf } from "./server/network-of.ts";
export { type HttpConfig, type HttpHandlers, type HttpLimits, type HttpServer, listenHttp } from "./server/server.ts";
export { machine, whereToListen } from "./server/where-to-listen.ts";
