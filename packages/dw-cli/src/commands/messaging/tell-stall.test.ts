import { createFakeClock } from "@datawire/runtime/testing";
import { expect, test } from "vitest";
import { tellStall } from "./tell-stall.ts";

interface Stalled {
  readonly answer: () => Promise<unknown>;
  readonly wantsAnswer?: boolean;
  readonly movesAtMs?: number;
}

async function stalled({ answer, wantsAnswer = false, movesAtMs = Infinity }: Stalled) {
  const clock = createFakeClock();
  const notes: string[] = [];
  const deps = {
    clock,
    wantsAnswer,
    hasMoved: () => clock.monotonicMs() >= movesAtMs,
    ask: answer,
    note: (text: string) => void notes.push(text),
  };
  const end = new AbortController();
  const told = tellStall("//orders", deps, end.signal);
  await clock.advance(10_000);
  end.abort();
  await told;
  return { notes, pending: clock.pending() };
}

const says = (kind: string, state: string, reason: string | null) => async () => ({
  kind,
  state,
  reason,
  text: "so it is",
});
const full = says("queue", "full", "disk-full");
const unheard = says("queue", "stalled", "no-consumer");

test.each<[string, Stalled, string[]]>([
  ["of a full queue", { answer: full }, ["waiting: //orders is full: so it is"]],
  [
    "of a direct address at which nobody receives",
    { answer: says("direct", "stalled", "no-consumer") },
    ["waiting: //orders is stalled: so it is"],
  ],
  ["of nobody who could answer", { answer: unheard, wantsAnswer: true }, ["waiting: //orders is stalled: so it is"]],
  ["nothing of a queue that takes what comes", { answer: unheard }, []],
  ["nothing of a router that is slow", { answer: says("queue", "idle", null), wantsAnswer: true }, []],
  ["nothing of a broker that knows no reasons", { answer: () => Promise.reject(new Error("no")) }, []],
  ["nothing where something has moved", { answer: full, movesAtMs: 1_000 }, []],
])("tellStall() tells %s", async (_, options, expected) => {
  expect(await stalled(options)).toEqual({ notes: expected, pending: 0 });
});

test("tellStall() tells nothing of a command that has ended", async () => {
  const clock = createFakeClock();
  const notes: string[] = [];
  const end = new AbortController();
  const deps = {
    clock,
    wantsAnswer: true,
    hasMoved: () => false,
    ask: full,
    note: (text: string) => void notes.push(text),
  };
  const told = tellStall("//orders", deps, end.signal);
  end.abort();
  await told;
  expect({ notes, pending: clock.pending() }).toEqual({ notes: [], pending: 0 });
});
