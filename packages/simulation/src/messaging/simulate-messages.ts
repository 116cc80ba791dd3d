import type { MessageHistory } from "./message-events.ts";
import { MessageWorld } from "./message-world.ts";

/** When all is mended, everything has arrived after this: who is not noticed to be gone is given up within a minute. */
const SETTLE_MS = 200_000;

/**
 * Runs a history to its end, and then until everything that was accepted has arrived.
 * @returns what was counted: another run of the same says the same.
 * @throws Error that says what did not hold, when, and after what.
 */
export async function simulateMessages({ seed, events }: MessageHistory): Promise<MessageWorld["ledger"]["counts"]> {
  const world = new MessageWorld(seed);
  let step = "the start";
  try {
    await world.begin();
    const startMs = world.clock.monotonicMs();
    for (const event of events.toSorted((a, b) => a.atMs - b.atMs)) {
      await world.pass(event.atMs - (world.clock.monotonicMs() - startMs));
      step = JSON.stringify(event);
      world.apply(event);
    }
    await world.pass(2_000);
    step = "the end, when all is whole again";
    world.heal();
    await settle(world);
    // What is settled stays settled: nobody gets anything again.
    world.restart();
    await world.pass(3_000, 500);
    return world.ledger.counts;
  } catch (error) {
    throw new Error(`${(error as Error).message}, ${world.clock.monotonicMs()} ms after the start, after ${step}`, {
      cause: error,
    });
  } finally {
    world.end();
  }
}

async function settle(world: MessageWorld): Promise<void> {
  for (let waitedMs = 0; ; waitedMs += 500) {
    await world.pass(500, 250);
    const missing = world.ledger.missing();
    const isDone = world.producers.every((producer) => producer.isDone);
    if (isDone && missing.length === 0) return;
    if (waitedMs < SETTLE_MS) continue;
    if (!isDone) throw new Error("a producer still waits for its messages to be accepted");
    throw new Error(`${missing.length} accepted messages have not arrived, the first ${missing[0] ?? ""}`);
  }
}
