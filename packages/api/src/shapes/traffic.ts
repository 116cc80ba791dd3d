import { z } from "zod";
import { time } from "./common.ts";

const ms = z.number().nullable().meta({
  description:
    "Milliseconds until the head of the answer; null where no Sherlock looks (`percentiles` in sherlock.yaml)",
});

/** How the requests to something went in the last seconds. */
export const traffic = z.lazy(() =>
  z
    .object({
      rate: z.number().meta({ description: "Requests a second" }),
      errorPercent: z.number().nullable().meta({
        description:
          "Of the requests, 0 to 100: answers of the class 5xx and failed connections; null without requests",
      }),
      p50: ms,
      p99: ms,
    })
    .nullable()
    .optional()
    .meta({ description: "Of the last ten seconds that all Sherlocks have told of; null where nothing was counted" }),
);

const count = z.int().nullable().meta({ description: "Null where nothing was counted" });

/** `GET /v1/series`: the traffic of a service over time, in steps. */
export const seriesAnswer = z.lazy(() =>
  z.object({
    stepMs: z.int(),
    series: z.array(
      z.object({
        key: z.string().nullable().meta({ description: "A version, an instance or a caller; null for what had none" }),
        points: z.array(z.object({ at: time, requests: count, errors: count, p50: ms, p99: ms })),
      }),
    ),
  }),
);

/** `GET /v1/map`: who calls whom. */
export const mapAnswer = z.lazy(() =>
  z.object({
    edges: z.array(
      z.object({
        caller: z.string(),
        service: z.string(),
        requests: z.int(),
        errors: z.int().meta({ description: "Answers of the class 5xx and failed connections" }),
        p50: ms,
        p99: ms,
      }),
    ),
  }),
);
