import { endpoints, type RolloutListing } from "@datawire/api";
import { type ErrorCode, ProtocolError } from "@datawire/protocol";
import { type ExitCode, exitCodes } from "@datawire/runtime";
import { rolloutLine } from "./rollout-text.ts";
import type { Dw } from "../../context/dw.ts";

/** How often the rollout is asked for. */
const LOOK_MS = 1_000;

/** States in which nothing more happens by itself. */
const RESTS = new Set<RolloutListing["state"]>(["paused", "promoted", "rolled-back", "aborted"]);

/** How a rollout is followed. */
interface Following {
  /** Told of each new state. */
  readonly tell: (rollout: RolloutListing) => void;
  /** Whether that was all. */
  readonly isEnd: (rollout: RolloutListing) => boolean;
}

/** Asks for one rollout, by its id or as `//SERVICE`. */
export async function askRollout({ client }: Dw, id: string): Promise<RolloutListing> {
  const { rollouts } = await client.ask(endpoints.showRollout, { params: { rollout: id } });
  const [rollout] = rollouts;
  if (rollout === undefined) throw new Error(`Cannot read rollout ${id}: the directory has answered with none`);
  return rollout;
}

/**
 * Follows a rollout to its end, also where the directory goes away meanwhile and comes back; null when it was broken off.
 * @param first as it was answered last
 */
export async function followRollout(
  dw: Dw,
  first: RolloutListing,
  { tell, isEnd }: Following,
): Promise<RolloutListing | null> {
  let rollout = first;
  let isAway = false;
  for (;;) {
    tell(rollout);
    if (isEnd(rollout)) return rollout;
    await dw.clock.sleep(LOOK_MS, dw.signal);
    if (dw.signal.aborted) return null;
    try {
      rollout = await askRollout(dw, rollout.id);
      isAway = false;
    } catch (error) {
      if (isFinal(error)) throw error;
      if (!isAway) dw.output.note("the directory does not answer; waiting for it");
      isAway = true;
    }
  }
}

/** Waits until a rollout rests: 0 for promoted, 1 for taken back, 2 for one that waits for a hand. */
export async function waitForRollout(dw: Dw, first: RolloutListing, json: boolean): Promise<ExitCode> {
  const tell = json ? () => {} : lineTeller(dw);
  const last = await followRollout(dw, first, { tell, isEnd: ({ state }) => RESTS.has(state) });
  if (last === null) return exitCodes.failed;
  if (json) dw.output.json(last);
  switch (last.state) {
    case "promoted":
      return exitCodes.done;
    case "paused":
      return exitCodes.paused;
    default:
      return exitCodes.failed;
  }
}

/** Prints a line whenever something has changed. */
export function lineTeller({ output }: Dw): (rollout: RolloutListing) => void {
  let last = "";
  return (rollout) => {
    const line = rolloutLine(rollout);
    if (line !== last) output.line(line);
    last = line;
  };
}

/** A directory that is away is waited for, one that has failed or is at its limit too; what it refuses stays refused. */
function isFinal(error: unknown): boolean {
  return error instanceof ProtocolError && REFUSALS.has(error.code);
}

const REFUSALS: ReadonlySet<ErrorCode> = new Set<ErrorCode>([
  "not_found",
  "invalid_argument",
  "unauthenticated",
  "permission_denied",
]);
