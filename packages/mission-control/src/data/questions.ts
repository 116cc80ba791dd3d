import { type Answer, endpoints, type RolloutListing } from "@datawire/api";
import { mergeRows } from "../core/merge.ts";
import type { Question } from "./entry.ts";
import { RATE_SECONDS } from "./live.ts";

/** How often is asked while no stream tells. */
const OFTEN_MS = 700;

type Status = Answer<"status">;
type Services = Answer<"listServices">;
type Callers = Answer<"listCallers">;
type History = Answer<"history">;
type Edges = Answer<"map">;

/** How everything stands. */
export const statusQuestion: Question<Status> = {
  key: "status",
  topic: "status",
  isToldWhole: true,
  wholeOf: (whole) => whole as Status,
  everyMs: OFTEN_MS,
  ask: (client) => client.ask(endpoints.status),
  // It has one row.
  merge: (data, { changed }) => Object.assign({}, data, ...changed) as Status,
};

/** All services with their traffic, without their instances. */
export const servicesQuestion: Question<Services> = {
  key: "services",
  topic: "services",
  isToldWhole: true,
  wholeOf: (whole) => whole as Services,
  everyMs: OFTEN_MS,
  ask: (client) => client.ask(endpoints.listServices, { query: { instances: "none" } }),
  merge: (data, changes) => ({
    ...data,
    services: mergeRows(data.services, changes, { keyOf: ({ service }) => service }),
  }),
};

/** The Sherlocks and libraries that are connected. */
export const callersQuestion: Question<Callers> = {
  key: "callers",
  topic: "callers",
  isToldWhole: true,
  wholeOf: (whole) => whole as Callers,
  everyMs: OFTEN_MS,
  ask: (client) => client.ask(endpoints.listCallers),
  merge: (data, changes) => ({
    ...data,
    callers: mergeRows(data.callers, changes, { keyOf: ({ id, name }) => id ?? name }),
  }),
};

/** So many changes are asked for. */
export const HISTORY_MAX = 1_000;

/** Every change, the newest first. */
export const historyQuestion: Question<History> = {
  key: "history",
  topic: "history",
  everyMs: OFTEN_MS,
  ask: (client) => client.ask(endpoints.history, { query: { limit: String(HISTORY_MAX) } }),
  // What is undone by a change is told beside it.
  merge: (data, changes) => ({
    ...data,
    history: mergeRows(data.history, changes, { keyOf: ({ id }) => id, newestFirst: true }).slice(0, HISTORY_MAX),
  }),
};

/** Who calls whom, in the last seconds. */
export const mapQuestion: Question<Edges> = {
  key: "map",
  topic: "map",
  isToldWhole: true,
  wholeOf: (whole) => whole as Edges,
  everyMs: 2_000,
  ask: (client) => client.ask(endpoints.map, { query: { seconds: String(RATE_SECONDS) } }),
  merge: (data, changes) => ({
    edges: mergeRows(data.edges, changes, { keyOf: ({ caller, service }) => `${caller}>${service}` }),
  }),
};

/** The rollouts that go on, and the last ones that have ended. */
export const rolloutsQuestion: Question<readonly RolloutListing[]> = {
  key: "rollouts",
  topic: "rollouts",
  everyMs: OFTEN_MS,
  ask: async (client) => (await client.ask(endpoints.listRollouts)).rollouts,
  wholeOf: (whole) => (whole as Answer<"listRollouts">).rollouts,
  merge: (rollouts, changes) => mergeRows(rollouts, changes, { keyOf: ({ id }) => id, newestFirst: true }),
};
