import type { z } from "zod";
import type { DeepReadonly } from "./shapes/common.ts";
import type { endpoints } from "./definitions/endpoints.ts";

export { AnswerError, type ApiClient, createApiClient, type Exchange } from "./uses/client.ts";
export type { DeepReadonly } from "./shapes/common.ts";
export {
  type Endpoint,
  FILE_TYPE,
  matchPath,
  OTLP_TYPES,
  type ParamOf,
  type QueryShape,
  type Right,
  rightOf,
} from "./definitions/endpoint.ts";
export { endpoints, pages } from "./definitions/endpoints.ts";
export { openApiPage } from "./uses/openapi.ts";
export { rolloutBody, type RolloutFile, rolloutFile, type RolloutListing } from "./shapes/rollouts.ts";
export {
  type RouteAdd,
  routeAddBody,
  type RouteListing,
  type RouteRemove,
  routeRemoveBody,
  type RouteSet,
  routeSetBody,
} from "./shapes/routes.ts";
export type {
  ExplainedSessions,
  Explanation,
  InstanceFinding,
  InstanceListing,
  ServiceListing,
} from "./shapes/services.ts";
export type { LogEvent, Span, TraceSummary } from "./shapes/traces.ts";
export { TOKEN_PATTERNS_MAX } from "./shapes/tokens.ts";

type Endpoints = typeof endpoints;

/** What an endpoint answers with, by its name: `Answer<"listRoutes">`. */
export type Answer<Name extends keyof Endpoints> = Endpoints[Name]["answer"] extends infer A extends z.ZodType
  ? DeepReadonly<z.output<A>>
  : Uint8Array;
export { schemaFiles } from "./uses/json-schemas.ts";
