import fc from "fast-check";
import type { Event, History } from "./events.ts";

const machines = { directories: ["d0"], clients: ["w0", "w1", "s0"] } as const;

const directory = fc.constantFrom(...machines.directories);
const client = fc.constantFrom(...machines.clients);
const machine = fc.constantFrom(...machines.directories, ...machines.clients);
const forMs = fc.integer({ min: 0, max: 9_000 });
const watson = fc.constantFrom("w0", "w1");

const event: fc.Arbitrary<Event> = fc
  .tuple(
    fc.integer({ min: 0, max: 20_000 }),
    fc.oneof(
      fc.record({
        do: fc.constant("program" as const),
        watson,
        number: fc.nat(2),
        state: fc.constantFrom("live" as const, "live" as const, "down" as const, "gone" as const),
      }),
      fc.record({
        do: fc.constant("route" as const),
        directory,
        caller: fc.constantFrom("m0", "m1"),
        percent: fc.nat(100),
      }),
      fc.record({
        do: fc.constant("cut" as const),
        client,
        directory,
        side: fc.constantFrom("both" as const, "client" as const, "directory" as const),
      }),
      fc
        .record({ client, directory, forMs, toDirectory: fc.boolean() })
        .map(({ client: one, directory: other, forMs: ms, toDirectory }) => ({
          do: "silence" as const,
          from: toDirectory ? one : other,
          to: toDirectory ? other : one,
          forMs: ms,
        })),
      fc.record({
        do: fc.constant("crash" as const),
        machine,
        absence: fc.constantFrom("refuses" as const, "silent" as const),
        forMs,
      }),
      fc.record({ do: fc.constant("stop" as const), machine, forMs }),
      fc.record({ do: fc.constant("full disk" as const), directory, forMs }),
    ),
  )
  .map(([atMs, happening]) => ({ atMs, ...happening }));

/** Histories of a small dstack. They shrink by leaving events out; the seed stays. */
export const histories: fc.Arbitrary<History> = fc.record({
  seed: fc.noShrink(fc.integer()),
  directories: fc.constant(1),
  watsons: fc.constant(2),
  sherlocks: fc.constant(1),
  events: fc.array(event, { maxLength: 14, size: "max" }),
});
