import { type Answer, endpoints } from "@datawire/api";
import type { Counted } from "../core/traffic.ts";
import type { Question } from "./live.ts";

const OFTEN_MS = 700;
/** Sherlocks report every five seconds. */
const COUNTED_MS = 2_000;
/** Two reports and a little, so that one that is late leaves no gap. */
export const RATE_SECONDS = 15;

/** How everything stands. */
export const statusQuestion: Question<Answer<"status">> = {
  key: "status",
  everyMs: OFTEN_MS,
  ask: (client) => client.ask(endpoints.status),
};

/** All services with their instances. */
export const servicesQuestion: Question<Answer<"listServices">> = {
  key: "services",
  everyMs: OFTEN_MS,
  ask: (client) => client.ask(endpoints.listServices),
};

/** What was counted in the last seconds. */
export const countersQuestion: Question<readonly Counted[]> = {
  key: "counters",
  everyMs: COUNTED_MS,
  ask: async (client) => (await client.ask(endpoints.counters, { query: { seconds: String(RATE_SECONDS) } })).counters,
};

/** The Sherlocks and libraries that are connected. */
export const callersQuestion: Question<Answer<"listCallers">> = {
  key: "callers",
  everyMs: OFTEN_MS,
  ask: (client) => client.ask(endpoints.listCallers),
};
