import type { z } from "zod";
import type { DeepReadonly } from "./endpoint.ts";
import type { endpoints } from "./endpoints.ts";

export { AnswerError, type ApiClient, createApiClient, type Exchange } from "./client.ts";
export {
  type DeepReadonly,
  type Endpoint,
  FILE_TYPE,
  matchPath,
  type ParamOf,
  type QueryShape,
  type Right,
  rightOf,
} from "./endpoint.ts";
export { endpoints, pages } from "./endpoints.ts";
export { openApiPage } from "./openapi.ts";
export { TOKEN_PATTERNS_MAX } from "./shapes/tokens.ts";

type Endpoints = typeof endpoints;

/** What an endpoint answers with, by its name: `Answer<"listRoutes">`. */
export type Answer<Name extends keyof Endpoints> = Endpoints[Name]["answer"] extends infer A extends z.ZodType
  ? DeepReadonly<z.output<A>>
  : Uint8Array;
