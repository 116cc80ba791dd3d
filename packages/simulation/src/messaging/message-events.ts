import fc from "fast-check";
import type { CutSide } from "./cable.ts";

/** What happens to a router, its disk and its network. */
export type MessageHappening =
  /** The process is killed, or its machine loses power with it, and is started again after a while. */
  | { readonly do: "crash"; readonly isPower: boolean; readonly forMs: number }
  /** The disk takes little more for a while. */
  | { readonly do: "full"; readonly bytes: number; readonly forMs: number }
  /** One operation of the disk in so many fails, for a while. */
  | { readonly do: "errors"; readonly onceIn: number; readonly forMs: number }
  /** Each operation of the disk takes its time, for a while. */
  | { readonly do: "slow"; readonly ms: number; readonly forMs: number }
  | { readonly do: "cut"; readonly client: number; readonly side: CutSide }
  | { readonly do: "silence"; readonly client: number; readonly from: "client" | "router"; readonly forMs: number }
  /** The wall clock is set. */
  | { readonly do: "clock"; readonly byMs: number };

/** One of them and its time since the start, so that leaving one out moves no other. */
export type MessageEvent = MessageHappening & { readonly atMs: number };

/** The input of a simulation of messages: the same history gives the same run. */
export interface MessageHistory {
  readonly seed: number;
  readonly events: readonly MessageEvent[];
}

/** A start that finds a day gone forgets which messages of a producer it had taken, as it may. */
const CLOCK_MS_MAX = 80_000_000;
const EVENTS_MAX = 10;
const MS_MAX = { at: 4_000, lasts: 1_500 } as const;

/** Histories of a router. They shrink by leaving events out; the seed stays. */
export function messageHistories(): fc.Arbitrary<MessageHistory> {
  const forMs = fc.integer({ min: 1, max: MS_MAX.lasts });
  const client = fc.nat(20);
  const happening: fc.Arbitrary<MessageHappening> = fc.oneof(
    fc.record({ do: fc.constant("crash" as const), isPower: fc.boolean(), forMs }),
    fc.record({ do: fc.constant("crash" as const), isPower: fc.boolean(), forMs }),
    fc.record({ do: fc.constant("full" as const), bytes: fc.nat(3_000), forMs }),
    fc.record({ do: fc.constant("errors" as const), onceIn: fc.integer({ min: 1, max: 6 }), forMs }),
    fc.record({ do: fc.constant("slow" as const), ms: fc.integer({ min: 1, max: 60 }), forMs }),
    fc.record({
      do: fc.constant("cut" as const),
      client,
      side: fc.constantFrom("both" as const, "client" as const, "router" as const),
    }),
    fc.record({
      do: fc.constant("silence" as const),
      client,
      from: fc.constantFrom("client" as const, "router" as const),
      forMs,
    }),
    fc.record({ do: fc.constant("clock" as const), byMs: fc.integer({ min: -1e10, max: CLOCK_MS_MAX }) }),
  );
  const event = fc
    .tuple(fc.integer({ min: 0, max: MS_MAX.at }), happening)
    .map(([atMs, one]): MessageEvent => ({ atMs, ...one }));
  return fc.record({
    seed: fc.noShrink(fc.integer()),
    events: fc.array(event, { maxLength: EVENTS_MAX, size: "max" }),
  });
}
