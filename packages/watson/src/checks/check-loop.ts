import { formatDuration } from "@datawire/protocol";
import { type Clock, describeError } from "@datawire/runtime";
import type { Probe } from "../model/belief.ts";
import type { Check } from "../model/service-definition.ts";
import { nextCheckMs, phaseOf } from "../monitor/schedule.ts";
import type { Prober } from "../probes/prober.ts";
import type { Turns } from "./turns.ts";

/** The outcome of one run of a check. */
export interface Outcome {
  readonly probe: Probe;
  readonly tookMs: number;
  /** How long after its due time the check started. */
  readonly lateMs: number;
}

/** What the loop of one check works with. */
export interface CheckLoopDeps {
  readonly clock: Pick<Clock, "monotonicMs">;
  readonly turns: Pick<Turns, "at" | "gapMs">;
  /** Counts time in which Watson could have heard an answer: time-outs go by it. */
  readonly patience: Pick<Clock, "setTimer">;
  readonly prober: Prober;
  /** Takes each outcome, and says whether it leaves a doubt, so that the next check should come soon. */
  readonly report: (outcome: Outcome) => { readonly inDoubt: boolean };
}

/** The least time between two runs of one check. */
const GAP_MS_MIN = 20;

/** Checks one thing again and again until it is stopped; never twice at once. */
export class CheckLoop {
  readonly #check: Check;
  readonly #deps: CheckLoopDeps;
  readonly #phase: number;
  #cancelTurn: () => void = () => {};
  #isInFlight = false;
  /** Ends the check that is under way; one for all of them, until it is used. */
  #ending = new AbortController();
  #endedMs = Number.NEGATIVE_INFINITY;
  #wanted = false;
  #stopped = false;

  /** @param name gives the check its place in the interval. */
  constructor(check: Check, name: string, deps: CheckLoopDeps) {
    this.#check = check;
    this.#deps = deps;
    this.#phase = phaseOf(name);
  }

  /** Makes the first check after `delayMs`; the others follow on their turns. */
  start(delayMs: number): void {
    this.#schedule(this.#deps.clock.monotonicMs() + delayMs);
  }

  /** Checks at once, because there is reason to think that something changed. */
  checkNow(): void {
    if (this.#stopped) return;
    // A check that is under way may have looked just before the change.
    if (this.#isInFlight) this.#wanted = true;
    else this.#schedule(Math.max(this.#deps.clock.monotonicMs(), this.#endedMs + GAP_MS_MIN));
  }

  /** Ends the loop and what it holds; nothing is reported any more. */
  stop(): void {
    this.#stopped = true;
    this.#cancelTurn();
    this.#ending.abort();
    this.#deps.prober.close();
  }

  #schedule(dueMs: number): void {
    this.#cancelTurn();
    this.#cancelTurn = this.#deps.turns.at(dueMs, () => void this.#run(dueMs));
  }

  async #run(dueMs: number): Promise<void> {
    const { clock, prober, report } = this.#deps;
    const startedMs = clock.monotonicMs();
    this.#isInFlight = true;
    if (this.#ending.signal.aborted) this.#ending = new AbortController();
    const probe = await this.#bounded(prober, this.#ending);
    if (this.#stopped) return;
    this.#isInFlight = false;
    this.#endedMs = clock.monotonicMs();
    const { inDoubt } = report({ probe, tookMs: this.#endedMs - startedMs, lateMs: Math.max(0, startedMs - dueMs) });
    const wanted = this.#wanted;
    this.#wanted = false;
    if (wanted) return this.checkNow();
    const { gapMs } = this.#deps.turns;
    const rhythm = { ...this.#check, phase: this.#phase, gapMs };
    this.#schedule(nextCheckMs({ dueMs, endedMs: this.#endedMs, inDoubt }, rhythm));
  }

  /** The outcome of the probe or its time-out: the loop goes on even if a prober ignores the signal. */
  #bounded(prober: Prober, ending: AbortController): Promise<Probe> {
    const { timeoutMs } = this.#check;
    return new Promise((resolve) => {
      const cancel = this.#deps.patience.setTimer(timeoutMs, () => {
        resolve({ ok: false, reason: `no answer within ${formatDuration(timeoutMs)}`, cause: "timeout" });
        ending.abort();
      });
      // A prober that throws has failed its probe.
      const probing = async (): Promise<Probe> => prober.probe(ending.signal);
      probing().then(
        (probe) => {
          cancel();
          resolve(probe);
        },
        (error: unknown) => {
          cancel();
          resolve({ ok: false, reason: describeError(error) });
        },
      );
    });
  }
}
