import { z } from "zod";
import type { Endpoint } from "./endpoint.ts";
import { liveEndpoints } from "./live-endpoints.ts";
import { sessionEndpoints } from "./session-endpoints.ts";
import { rolloutEndpoints } from "./rollout-endpoints.ts";
import { traceEndpoints } from "./trace-endpoints.ts";
import { countersAnswer } from "../shapes/counters.ts";
import {
  historyAnswer,
  routeAddBody,
  routeChangeAnswer,
  routeRemoveBody,
  routesAnswer,
  routeSetBody,
  undoAnswer,
  undoBody,
} from "../shapes/routes.ts";
import {
  distributionsAnswer,
  explainAnswer,
  instanceBody,
  instanceChangeAnswer,
  instancesAnswer,
  promoteBody,
  promotionAnswer,
  serviceAddBody,
  serviceAnswer,
  serviceChangeAnswer,
  servicesAnswer,
  serviceSetBody,
} from "../shapes/services.ts";
import {
  callersAnswer,
  guardReleaseAnswer,
  restoreAnswer,
  routerAddressesAnswer,
  routersAnswer,
  statusAnswer,
} from "../shapes/status.ts";
import { tableAnswer } from "../shapes/table.ts";
import { tokenCreateAnswer, tokenCreateBody, tokenRevokeAnswer, tokensAnswer } from "../shapes/tokens.ts";

const text = (description: string) => z.string().optional().meta({ description });

/** Every endpoint that answers with JSON or a file, by the name that its handler and its callers use. */
export const endpoints = {
  status: {
    method: "GET",
    path: "/v1/status",
    summary: "The directory, its clients, and what is wrong",
    answer: statusAnswer,
  },
  listServices: {
    method: "GET",
    path: "/v1/services",
    summary: "All services with their instances",
    query: z.object({ instances: text("`none` leaves the lists of instances empty") }),
    answer: servicesAnswer,
  },
  showService: {
    method: "GET",
    path: "/v1/services/{service}",
    summary: "One service with its settings",
    answer: serviceAnswer,
  },
  addService: {
    method: "POST",
    path: "/v1/services",
    summary: "Adds a service",
    body: serviceAddBody,
    answer: serviceChangeAnswer,
  },
  setService: {
    method: "PUT",
    path: "/v1/services/{service}",
    summary: "Changes settings of a service; null is the default",
    body: serviceSetBody,
    answer: serviceChangeAnswer,
  },
  removeService: {
    method: "DELETE",
    path: "/v1/services/{service}",
    summary: "Forgets a service that has no instances and no routes",
    query: z.object({ dryRun: text("`true` changes nothing") }),
    answer: serviceChangeAnswer,
  },
  promoteService: {
    method: "POST",
    path: "/v1/services/{service}/promote",
    summary: "Makes a generation the primary, and removes the routes that name it",
    body: promoteBody,
    answer: promotionAnswer,
  },
  listInstances: {
    method: "GET",
    path: "/v1/instances",
    summary: "All instances, with the Watson of each",
    answer: instancesAnswer,
  },
  drainInstance: {
    method: "POST",
    path: "/v1/instances/drain",
    summary: "Takes an instance out of the pool",
    body: instanceBody,
    answer: instanceChangeAnswer,
  },
  resumeInstance: {
    method: "POST",
    path: "/v1/instances/resume",
    summary: "Lets its Watson's word hold again",
    body: instanceBody,
    answer: instanceChangeAnswer,
  },
  listRoutes: {
    method: "GET",
    path: "/v1/routes",
    summary: "The stored routes",
    answer: routesAnswer,
  },
  addRoute: {
    method: "POST",
    path: "/v1/routes",
    summary: "Adds or changes a route",
    body: routeAddBody,
    answer: routeChangeAnswer,
  },
  setRoutes: {
    method: "PUT",
    path: "/v1/routes",
    summary: "Sets several shares at once",
    body: routeSetBody,
    answer: routeChangeAnswer,
  },
  removeRoute: {
    method: "DELETE",
    path: "/v1/routes",
    summary: "Removes a route",
    body: routeRemoveBody,
    answer: routeChangeAnswer,
  },
  history: {
    method: "GET",
    path: "/v1/routes/history",
    summary: "The changes that were made, newest first",
    query: z.object({ limit: text("how many; default 100") }),
    answer: historyAnswer,
  },
  undo: {
    method: "POST",
    path: "/v1/routes/undo",
    summary: "Takes back the last change that is not undone yet",
    body: undoBody,
    answer: undoAnswer,
  },
  listDistributions: {
    method: "GET",
    path: "/v1/distributions",
    summary: "Where requests go: for every service, any caller and each caller with routes of its own",
    answer: distributionsAnswer,
  },
  explain: {
    method: "GET",
    path: "/v1/explain",
    summary: "Where a request would go, and why",
    query: z.object({
      caller: text("name, or * for any; default *"),
      service: text("name"),
      path: text("what follows /NAME"),
      headers: text("header lines of the request, NAME: VALUE, parted by line feeds"),
    }),
    answer: explainAnswer,
  },
  listCallers: {
    method: "GET",
    path: "/v1/callers",
    summary: "The Sherlocks and libraries that are connected",
    answer: callersAnswer,
  },
  listRouters: {
    method: "GET",
    path: "/v1/routers",
    summary: "The routers that are connected, with their addresses of messages, their links and their problems",
    answer: routersAnswer,
  },
  findRouters: {
    method: "GET",
    path: "/v1/routers/addresses",
    summary: "Where the routers are reached",
    right: "message", // for those who send and receive, and see nothing else
    answer: routerAddressesAnswer,
  },
  table: {
    method: "GET",
    path: "/v1/table",
    summary: "The whole table, as subscribers of the link get it",
    answer: tableAnswer,
  },
  counters: {
    method: "GET",
    path: "/v1/counters",
    summary: "What Sherlocks counted; a minute and less in whole steps of five seconds, more in minutes",
    query: z.object({ seconds: text("of the last so many seconds, 1 to 3600; default 60") }),
    answer: countersAnswer,
  },
  ...rolloutEndpoints,
  ...traceEndpoints,
  ...liveEndpoints,
  ...sessionEndpoints,
  releaseGuard: {
    method: "POST",
    path: "/v1/guard/release",
    summary: "Lets the leases end that the guard holds",
    query: z.object({ dryRun: text("`true` changes nothing") }),
    answer: guardReleaseAnswer,
  },
  backup: {
    method: "GET",
    path: "/v1/backup",
    summary: "All that the directory keeps, in one file",
    right: "administer", // it holds the key of the authority
    answer: "file",
  },
  restore: {
    method: "POST",
    path: "/v1/restore",
    summary: "Keeps what a backup has, and nothing else",
    right: "administer",
    body: "file",
    answer: restoreAnswer,
  },
  listTokens: {
    method: "GET",
    path: "/v1/tokens",
    summary: "All tokens, without their secrets",
    right: "administer",
    answer: tokensAnswer,
  },
  createToken: {
    method: "POST",
    path: "/v1/tokens",
    summary: "Makes a token; this answer is the only place where it ever is",
    right: "administer",
    body: tokenCreateBody,
    answer: tokenCreateAnswer,
  },
  revokeToken: {
    method: "DELETE",
    path: "/v1/tokens/{token}",
    summary: "Revokes a token and ends the links that use it",
    right: "administer",
    query: z.object({ dryRun: text("`true` changes nothing") }),
    answer: tokenRevokeAnswer,
  },
  openApi: {
    method: "GET",
    path: "/v1/openapi.json",
    summary: "This interface, described for programs",
    answer: z.lazy(() => z.object({ openapi: z.string(), info: z.object({}).loose(), paths: z.object({}).loose() })),
  },
} as const satisfies Readonly<Record<string, Endpoint>>;

/** The pages that daemons answer beside their interface; the first two are open to all. */
export const pages = {
  health: { method: "GET", path: "/healthz", summary: "Whether the process answers", answer: "text" },
  ready: {
    method: "GET",
    path: "/readyz",
    summary: "Whether it is ready: 200, or 503 with what is missing",
    answer: "text",
  },
  metrics: {
    method: "GET",
    path: "/metrics",
    summary: "Metrics in the text format of Prometheus",
    answer: "text",
  },
} as const satisfies Readonly<Record<string, Endpoint>>;
