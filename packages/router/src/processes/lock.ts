import { type Clock, claimFolder, describeHolder } from "@datawire/runtime";

/**
 * Takes a folder for this process: two routers on one log would write over each other.
 * @returns what gives it back.
 * @throws Error where another process has it.
 */
export async function lockFolder(folder: string): Promise<() => Promise<void>> {
  const claim = await claimFolder(folder, "router");
  if (claim.state === "own") return claim.release;
  throw new Error(
    `Cannot use the folder ${folder}: ${describeHolder("router", claim.pid)} uses it; stop that one, or give this one another --data-dir`,
  );
}

/** The process that had it before may not have ended yet. */
const PATIENCE_MS = 10_000;

/** Takes a folder as soon as the process before has left it. @throws Error where it stays. */
export async function lockLater(folder: string, clock: Clock): Promise<() => Promise<void>> {
  const untilMs = clock.monotonicMs() + PATIENCE_MS;
  for (;;) {
    try {
      return await lockFolder(folder);
    } catch (error) {
      if (clock.monotonicMs() > untilMs) throw error;
      await clock.sleep(100);
    }
  }
}
