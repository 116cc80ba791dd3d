import { z } from "zod";
import { time } from "./common.ts";

/** `GET /v1/counters`: what Sherlocks and libraries counted in a span of time. */
export const countersAnswer = z.lazy(() =>
  z.object({
    from: time,
    until: time,
    counters: z.array(
      z.object({
        caller: z.string(),
        service: z.string(),
        version: z.string().nullable(),
        instance: z.string().nullable(),
        requests: z.int(),
        responses: z.tuple([z.int(), z.int(), z.int(), z.int(), z.int()]).meta({ description: "By class, 1xx to 5xx" }),
        failures: z.int(),
        latencyMs: z.object({ average: z.number(), max: z.number() }).nullable(),
        latencies: z.array(z.number()).optional().meta({
          description:
            "How many requests took how long until the head of their response: the first millisecond of a bucket and how many are in it, in turn; empty where no Sherlock looks (`percentiles` in sherlock.yaml)",
        }),
      }),
    ),
  }),
);
