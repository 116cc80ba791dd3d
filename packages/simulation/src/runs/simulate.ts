import type { Event, History } from "./events.ts";
import { LEASE_MS } from "../environment/settings.ts";
import { World } from "./world.ts";

/** What is looked at between two events, and how often. */
const SLICE_MS = 100;
/**
 * When all that was broken is whole again, everything is as it should be after this long: who was silent is noticed
 * within a lease, refused Watsons ask again within half of one, and a directory that starts waits for them for a
 * warm-up, which may be extended.
 */
const SETTLE_MS = 25_000;
/** How often it is looked whether that is so already. */
const LOOK_MS = 500;

/**
 * Runs a history to its end, and then until all is quiet.
 * @returns how many frames went over the network, and when all was quiet: another run of the same says the same.
 * @throws Error that says what did not hold, when, and after what.
 */
export async function simulate(history: History): Promise<{ readonly frames: number; readonly quietMs: number }> {
  const world = new World(history);
  let step = "the start";
  try {
    world.begin();
    for (const event of history.events.toSorted((a, b) => a.atMs - b.atMs)) {
      await pass(world, event.atMs - world.elapsedMs);
      step = describe(event);
      world.apply(event);
      await pass(world, 0);
    }
    step = "the end, when all is whole again";
    await pass(world, world.heal());
    await settle(world);
    await pass(world, LEASE_MS);
    world.checkQuiet();
    return { frames: world.frames, quietMs: world.elapsedMs };
  } catch (error) {
    throw new Error(`${(error as Error).message}, ${world.elapsedMs} ms after the start, after ${step}`, {
      cause: error,
    });
  } finally {
    world.end();
  }
}

/** Waits until all is as it should be. */
async function settle(world: World): Promise<void> {
  for (let waitedMs = 0; ; waitedMs += LOOK_MS) {
    await pass(world, LOOK_MS);
    world.startAll(); // what took its time to end is started again
    try {
      return world.checkQuiet();
    } catch (error) {
      if (waitedMs >= SETTLE_MS) throw error;
    }
  }
}

async function pass(world: World, ms: number): Promise<void> {
  for (let leftMs = ms; ; leftMs -= SLICE_MS) {
    await world.advance(Math.min(Math.max(0, leftMs), SLICE_MS));
    world.check();
    if (leftMs <= SLICE_MS) return;
  }
}

const describe = (event: Event): string => JSON.stringify(event);
