import { routeAddSchema, routeRemoveSchema, routeSetSchema } from "@datawire/protocol";
import type { z } from "zod";
import { answers } from "./answers.ts";
import {
  instanceSchema,
  promoteSchema,
  serviceAddSchema,
  serviceSetSchema,
  tokenCreateSchema,
  undoSchema,
} from "./bodies.ts";

/** What the OpenAPI page says of one endpoint. */
export interface Description {
  readonly summary: string;
  /** The names of what stands for `*` in the path, in order. */
  readonly params?: readonly string[];
  /** Query parameters with what they mean. */
  readonly query?: Readonly<Record<string, string>>;
  readonly body?: z.ZodType | "file";
  readonly answer: z.ZodType | "file" | "text";
}

const name = ["service"];
const dryRunQuery = { dryRun: "`true` changes nothing" };

/** By method and path; a test checks that each endpoint is here, and each of these an endpoint. */
export const descriptions: Readonly<Record<string, Description>> = {
  "GET /healthz": { summary: "Whether the process answers", answer: "text" },
  "GET /readyz": { summary: "Whether it is ready: 200, or 503 with what is missing", answer: "text" },
  "GET /metrics": { summary: "Metrics in the text format of Prometheus", answer: "text" },
  "GET /v1/status": { summary: "The directory, its clients, and what is wrong", answer: answers.status },
  "GET /v1/services": { summary: "All services with their instances", answer: answers.services },
  "GET /v1/services/*": { summary: "One service with its settings", params: name, answer: answers.service },
  "POST /v1/services": { summary: "Adds a service", body: serviceAddSchema, answer: answers.serviceChange },
  "PUT /v1/services/*": {
    summary: "Changes settings of a service; null is the default",
    params: name,
    body: serviceSetSchema,
    answer: answers.serviceChange,
  },
  "DELETE /v1/services/*": {
    summary: "Forgets a service that has no instances and no routes",
    params: name,
    query: dryRunQuery,
    answer: answers.serviceChange,
  },
  "POST /v1/services/*/promote": {
    summary: "Makes a generation the primary, and removes the routes that name it",
    params: name,
    body: promoteSchema,
    answer: answers.promotion,
  },
  "GET /v1/instances": { summary: "All instances, with the Watson of each", answer: answers.instances },
  "POST /v1/instances/drain": {
    summary: "Takes an instance out of the pool",
    body: instanceSchema,
    answer: answers.instanceChange,
  },
  "POST /v1/instances/resume": {
    summary: "Lets its Watson's word hold again",
    body: instanceSchema,
    answer: answers.instanceChange,
  },
  "GET /v1/routes": { summary: "The stored routes", answer: answers.routes },
  "POST /v1/routes": { summary: "Adds or changes a route", body: routeAddSchema, answer: answers.routeChange },
  "PUT /v1/routes": { summary: "Sets several shares at once", body: routeSetSchema, answer: answers.routeChange },
  "DELETE /v1/routes": { summary: "Removes a route", body: routeRemoveSchema, answer: answers.routeChange },
  "GET /v1/routes/history": {
    summary: "The changes that were made, newest first",
    query: { limit: "how many; default 100" },
    answer: answers.history,
  },
  "POST /v1/routes/undo": {
    summary: "Takes back the last change that is not undone yet",
    body: undoSchema,
    answer: answers.undo,
  },
  "GET /v1/distributions": {
    summary: "Where requests go: for every service, any caller and each caller with routes of its own",
    answer: answers.distributions,
  },
  "GET /v1/explain": {
    summary: "Where a request would go, and why",
    query: { caller: "name, or * for any; default *", service: "name", path: "what follows /NAME" },
    answer: answers.explanation,
  },
  "GET /v1/callers": { summary: "The Sherlocks and libraries that are connected", answer: answers.callers },
  "GET /v1/table": { summary: "The whole table, as subscribers of the link get it", answer: answers.table },
  "GET /v1/counters": {
    summary: "What Sherlocks counted; a minute and less in whole steps of five seconds, more in minutes",
    query: { seconds: "of the last so many seconds, 1 to 3600; default 60" },
    answer: answers.counters,
  },
  "POST /v1/guard/release": { summary: "Lets the leases end that the guard holds", answer: answers.release },
  "GET /v1/backup": { summary: "All that the directory keeps, in one file", answer: "file" },
  "POST /v1/restore": {
    summary: "Keeps what a backup has, and nothing else",
    body: "file",
    answer: answers.restore,
  },
  "GET /v1/tokens": { summary: "All tokens, without their secrets", answer: answers.tokens },
  "POST /v1/tokens": {
    summary: "Makes a token; this answer is the only place where it ever is",
    body: tokenCreateSchema,
    answer: answers.tokenCreation,
  },
  "DELETE /v1/tokens/*": {
    summary: "Revokes a token and ends the links that use it",
    params: ["token"],
    answer: answers.tokenRevocation,
  },
};
