import { z } from "zod";
import { mapAnswer, seriesAnswer } from "../shapes/traffic.ts";
import type { Endpoint } from "./endpoint.ts";
import { chosen } from "./trace-endpoints.ts";

const text = (description: string) => z.string().optional().meta({ description });

/** The endpoints behind what is shown as it happens. */
export const liveEndpoints = {
  stream: {
    method: "GET",
    path: "/v1/stream",
    summary: "Follows topics, as Server-Sent Events: each first whole, as its GET, then what changed of it",
    right: "read",
    query: z.object({
      topics: text(
        "parted by commas: status, services, service/NAME, callers, map, rollouts, rollout/ID, history, traces, logs; the last two with the parameters of their GET",
      ),
      instances: text("`none` leaves the lists of instances of the topic services empty"),
      seconds: text("of the topic map: of the last so many seconds, 1 to 3600; default 60"),
      q: chosen.q,
      service: chosen.service,
      level: chosen.level,
      since: chosen.since,
      limit: chosen.limit,
      error: text("`true`: traces with an error"),
      min: text("traces of this duration and longer, such as 250ms"),
      instance: text("log events of this instance"),
      trace: text("log events of the trace with this id"),
    }),
    answer: "events",
  },
  series: {
    method: "GET",
    path: "/v1/series",
    summary: "The traffic of a service over time; a minute and less in steps of five seconds, more in minutes",
    query: z.object({
      service: text("name"),
      by: text("`version`, `instance` or `caller`; default version"),
      seconds: text("of the last so many seconds, 1 to 3600; default 600"),
    }),
    answer: seriesAnswer,
  },
  map: {
    method: "GET",
    path: "/v1/map",
    summary: "Who calls whom, and how that goes",
    query: z.object({ seconds: text("of the last so many seconds, 1 to 3600; default 60") }),
    answer: mapAnswer,
  },
} as const satisfies Readonly<Record<string, Endpoint>>;
