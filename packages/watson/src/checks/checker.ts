import { isDeepStrictEqual } from "node:util";
import { maskSecrets } from "@datawire/protocol";
import type { Clock } from "@datawire/runtime";
import type { Probe } from "../model/belief.ts";
import type { ProbeKind } from "../model/service-definition.ts";
import type { Task } from "../monitor/monitor.ts";
import { CheckLoop } from "./check-loop.ts";
import { Heartbeat } from "./heartbeat.ts";
import { Turns } from "./turns.ts";
import { type ActiveProbe, createProber } from "../probes/create-prober.ts";
import type { ProberDeps } from "../probes/prober.ts";
import type { EarlyFailureProbes } from "./early-failure-probe.ts";

/** What a check of a task found. */
export interface TaskOutcome {
  readonly task: Task;
  readonly probe: Probe;
  readonly kind: ProbeKind;
  /** Null for a heartbeat, which Watson does not make. */
  readonly timing: { readonly tookMs: number; readonly lateMs: number } | null;
}

/** What running the checks works with. */
export interface CheckerDeps {
  readonly clock: Clock;
  /** Counts time in which Watson could have heard an answer. */
  readonly patience: Pick<Clock, "setTimer">;
  readonly probers: ProberDeps;
  readonly earlyFailureProbes: EarlyFailureProbes;
  /** Takes each outcome and says whether the next check should come soon. */
  readonly report: (outcome: TaskOutcome) => { readonly inDoubt: boolean };
}

interface Running {
  readonly task: Task;
  beat(): void;
  stop(): void;
}

/** First checks are this far apart, so that a start with thousands of services does not check all of them at once. */
const FIRST_CHECK_GAP_MS = 0.5;

/** Runs the checks of the tasks that it was last given. */
export class Checker {
  readonly #deps: CheckerDeps;
  readonly #running = new Map<string, Running>();
  readonly #turns: Turns;
  #nextFirstMs = Number.NEGATIVE_INFINITY;

  constructor(deps: CheckerDeps) {
    this.#deps = deps;
    this.#turns = new Turns(deps.clock);
  }

  /** Starts and stops checks so that exactly these run; one whose settings are the same is not disturbed. */
  reconcile(tasks: Iterable<Task>): void {
    const wanted = new Map([...tasks].map((task) => [task.id, task]));
    this.#turns.spread(sum([...wanted.values()].map(checksPerSecond)));
    for (const [id, running] of this.#running) {
      const task = wanted.get(id);
      if (task !== undefined && isSameCheck(task, running.task)) continue;
      running.stop();
      this.#running.delete(id);
    }
    for (const [id, task] of wanted) if (!this.#running.has(id)) this.#running.set(id, this.#start(task));
  }

  /** Passes a heartbeat to the checks of an instance that wait for one; returns how many did. */
  beat(key: string): number {
    const waiting = [...this.#running.values()].filter(({ task }) => task.instance.key === key && isHeartbeat(task));
    for (const running of waiting) running.beat();
    return waiting.length;
  }

  stop(): void {
    for (const running of this.#running.values()) running.stop();
    this.#running.clear();
  }

  #start(task: Task): Running {
    const { probe } = task.check;
    return probe.kind === "ttl" ? this.#startHeartbeat(task, probe.ttlMs) : this.#startLoop(task, probe);
  }

  #startHeartbeat(task: Task, ttlMs: number): Running {
    const { patience, report } = this.#deps;
    const heartbeat = new Heartbeat(ttlMs, {
      patience,
      report: (probe) => void report({ task, probe, kind: "ttl", timing: null }),
    });
    heartbeat.start();
    return { task, beat: () => heartbeat.beat(), stop: () => heartbeat.stop() };
  }

  #startLoop(task: Task, probe: ActiveProbe): Running {
    const { clock, patience, probers, report, earlyFailureProbes } = this.#deps;
    const loop = new CheckLoop(task.check, task.id, {
      clock,
      turns: this.#turns,
      patience,
      prober: createProber(probe, probers),
      report: ({ probe: result, ...timing }) => {
        if (result.ok) earlyFailureProbe?.arm();
        return report({ task, probe: withoutSecrets(result), kind: probe.kind, timing });
      },
    });
    const earlyFailureProbe = earlyFailureProbes.create(task.check, () => loop.checkNow());
    const nowMs = clock.monotonicMs();
    this.#nextFirstMs = Math.max(nowMs, this.#nextFirstMs + FIRST_CHECK_GAP_MS);
    loop.start(this.#nextFirstMs - nowMs);
    return {
      task,
      beat() {},
      stop() {
        earlyFailureProbe?.close();
        loop.stop();
      },
    };
  }
}

/**
 * Masks secrets: a reason quotes URLs and the output of programs, and everybody who may read from a directory can see
 * it.
 */
const withoutSecrets = (probe: Probe): Probe => (probe.ok ? probe : { ...probe, reason: maskSecrets(probe.reason) });

const checksPerSecond = (task: Task): number => (isHeartbeat(task) ? 0 : 1_000 / task.check.intervalMs);

const sum = (numbers: readonly number[]): number => numbers.reduce((total, one) => total + one, 0);

const isHeartbeat = ({ check }: Task): boolean => check.probe.kind === "ttl";

function isSameCheck(a: Task, b: Task): boolean {
  return a.check === b.check || isDeepStrictEqual(a.check, b.check);
}
