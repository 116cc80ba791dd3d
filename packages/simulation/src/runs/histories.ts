import fc from "fast-check";
import type { Event, History } from "./events.ts";

/** How large a dstack is, and what its directories keep their state in. */
export type Shape = Omit<History, "seed" | "events">;

/** How many things happen at the most. */
const EVENTS_MAX = 14;
/** When the last of them happens, and how long the longest lasts. */
const MS_MAX = { at: 20_000, lasts: 9_000 } as const;

/** Histories of a dstack of this shape. They shrink by leaving events out; the seed stays. */
export function historiesOf(shape: Shape): fc.Arbitrary<History> {
  const events = fc.array(eventsOf(shape), { maxLength: EVENTS_MAX, size: "max" });
  return fc.record({ seed: fc.noShrink(fc.integer()), events }).map((drawn) => ({ ...shape, ...drawn }));
}

function eventsOf(shape: Shape): fc.Arbitrary<Event> {
  const names = (letter: string, count: number): string[] => Array.from({ length: count }, (_, i) => `${letter}${i}`);
  const watsons = names("w", shape.watsons);
  const clients = [...watsons, ...names("s", shape.sherlocks)];
  const directories = names("d", shape.directories);
  const directory = fc.constantFrom(...directories);
  const client = fc.constantFrom(...clients);
  const machine = fc.constantFrom(...directories, ...clients);
  const forMs = fc.integer({ min: 0, max: MS_MAX.lasts });
  const program = fc.record({
    do: fc.constant("program" as const),
    watson: fc.constantFrom(...watsons),
    number: fc.nat(2),
    state: fc.constantFrom("live" as const, "live" as const, "down" as const, "gone" as const),
  });
  const caller = fc.constantFrom("m0", "m1");
  const route = fc.record({ do: fc.constant("route" as const), directory, caller, percent: fc.nat(100) });
  const side = fc.constantFrom("both" as const, "client" as const, "directory" as const);
  const cut = fc.record({ do: fc.constant("cut" as const), client, directory, side });
  const silence = fc.tuple(client, directory, fc.boolean(), forMs).map(([one, other, there, ms]) => ({
    do: "silence" as const,
    from: there ? one : other,
    to: there ? other : one,
    forMs: ms,
  }));
  const absence = fc.constantFrom("refuses" as const, "silent" as const);
  const crash = fc.record({ do: fc.constant("crash" as const), machine, absence, forMs });
  const stop = fc.record({ do: fc.constant("stop" as const), machine, forMs });
  const outage = fc.record({ do: fc.constant("outage" as const), directory, forMs });
  const wipe = fc.record({ do: fc.constant("wipe" as const), directory, forMs });
  // Etcd has its own copies: what is lost there is another story.
  const losses = shape.store === "embedded" ? [wipe] : [];
  return fc
    .tuple(
      fc.integer({ min: 0, max: MS_MAX.at }),
      fc.oneof(program, route, cut, silence, crash, stop, outage, ...losses),
    )
    .map(([atMs, happening]) => ({ atMs, ...happening }));
}
