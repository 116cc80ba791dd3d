import { expect, test } from "vitest";
import type { History } from "./events.ts";
import { simulate } from "./simulate.ts";

/** Histories that once showed a fault, as they were printed. */
const histories: readonly (readonly [string, History])[] = [
  [
    "a Watson whose lease ends at one directory just as the one that sees it is back at etcd is known to both",
    {
      store: "etcd",
      directories: 2,
      watsons: 2,
      sherlocks: 2,
      seed: -477102314,
      events: [
        { atMs: 1, do: "stop", machine: "w0", forMs: 0 },
        { atMs: 19927, do: "silence", from: "d0", to: "w0", forMs: 0 },
        { atMs: 15147, do: "stop", machine: "w0", forMs: 0 },
        { atMs: 13153, do: "outage", directory: "d1", forMs: 5257 },
        { atMs: 5, do: "outage", directory: "d0", forMs: 4416 },
        { atMs: 2181, do: "program", watson: "w0", number: 1, state: "live" },
      ],
    },
  ],
  [
    "a Watson is answered in order, though what it said first is saved last, as the store went away meanwhile",
    {
      store: "etcd",
      directories: 2,
      watsons: 2,
      sherlocks: 2,
      seed: -1005102973,
      events: [
        { atMs: 16265, do: "program", watson: "w1", number: 0, state: "live" },
        { atMs: 15148, do: "program", watson: "w1", number: 0, state: "gone" },
        { atMs: 0, do: "outage", directory: "d0", forMs: 4 },
        { atMs: 14276, do: "outage", directory: "d0", forMs: 1148 },
        { atMs: 11745, do: "crash", machine: "w1", absence: "refuses", forMs: 1213 },
        { atMs: 11243, do: "route", directory: "d0", caller: "m0", percent: 0 },
      ],
    },
  ],
];

test.each(histories)("%s", async (_, history) => {
  expect(await simulate(history)).toMatchObject({ frames: expect.any(Number) as number });
});
