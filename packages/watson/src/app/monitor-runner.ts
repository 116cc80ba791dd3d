import type { ReportedProblem } from "@datawire/protocol";
import { type Clock, describeError, type Logger, type ProblemBoard } from "@datawire/runtime";
import type { Health } from "../monitor/health.ts";
import type { ServiceDefinition } from "../model/service-definition.ts";
import { type Announcement, type Change, type Kept, Monitor } from "../monitor/monitor.ts";
import { Checker, type TaskOutcome } from "../checks/checker.ts";
import type { ProberDeps } from "../probes/prober.ts";
import type { EarlyFailureProbes } from "../checks/early-failure-probe.ts";

/** What the running of checks works with. */
export interface MonitorRunnerDeps {
  readonly clock: Clock;
  /** Counts time in which Watson could have heard an answer. */
  readonly patience: Pick<Clock, "setTimer">;
  readonly log: Logger;
  /** What an operator should see of this Watson. */
  readonly board: Pick<ProblemBoard, "set">;
  readonly probers: ProberDeps;
  readonly earlyFailureProbes: EarlyFailureProbes;
  /** Whether an instance was live when an earlier Watson last looked. */
  readonly wasLive: (instance: ServiceDefinition) => boolean;
}

/** An observer of what is known of the instances; called from the event loop, in the order of registration. */
export interface MonitorObserver {
  checked?(outcome: TaskOutcome): void;
  healthChanged?(instance: ServiceDefinition, health: Health): void;
  /** What is to be announced may be another now. */
  announcementsChanged?(): void;
}

/** Runs the checks of the defined instances, and says which instances to announce. */
export class MonitorRunner {
  readonly #deps: MonitorRunnerDeps;
  readonly #monitor: Monitor;
  readonly #checker: Checker;
  readonly #observers: MonitorObserver[] = [];
  readonly #decided = Promise.withResolvers<void>();
  #tasksVersion = -1;
  #cancelTimer: () => void = () => {};

  constructor(deps: MonitorRunnerDeps) {
    this.#deps = deps;
    this.#monitor = new Monitor(deps.wasLive);
    const { clock, patience, probers, earlyFailureProbes } = deps;
    this.#checker = new Checker({
      clock,
      patience,
      probers,
      earlyFailureProbes,
      report: (outcome) => this.#report(outcome),
    });
  }

  /** Tells this observer too, from here on. */
  observe(observer: MonitorObserver): void {
    this.#observers.push(observer);
  }

  /** Makes these the instances that are checked and announced. */
  apply(wanted: ReadonlyMap<string, ServiceDefinition>): void {
    this.#monitor.apply(wanted, this.#nowMs());
    this.#follow();
  }

  /** Resolves when there is an answer for every instance, or after `msMax`. */
  async decided(msMax: number, signal: AbortSignal): Promise<void> {
    if (this.#monitor.isDecided()) return;
    const over = new AbortController();
    await Promise.race([this.#decided.promise, this.#deps.clock.sleep(msMax, AbortSignal.any([signal, over.signal]))]);
    over.abort();
  }

  /** What the directories are to be told, by key. */
  announcements(): ReadonlyMap<string, Announcement> {
    return this.#monitor.registrations(this.#nowMs());
  }

  /** Every instance with its health. */
  instances(): Iterable<{ readonly instance: ServiceDefinition; readonly health: Health }> {
    return this.#monitor.entries(this.#nowMs());
  }

  /** The instances that are live. */
  *live(): Generator<ServiceDefinition> {
    for (const { instance, health } of this.instances()) if (health.state === "live") yield instance;
  }

  /** The keys of the instances with this name, or this key. */
  find(name: string): string[] {
    const found = [...this.instances()].map(({ instance }) => instance);
    return found.filter((instance) => instance.name === name || instance.key === name).map(({ key }) => key);
  }

  /** Passes on a heartbeat; returns how many checks waited for it. */
  beat(key: string): number {
    return this.#checker.beat(key);
  }

  /** Ends all checks and announces every live instance as draining; returns how long the longest of them wants. */
  drain(): number {
    this.stop();
    this.#monitor.stop();
    this.#tellAnnouncements();
    const drains = [...this.instances()].map(({ instance, health }) =>
      health.state === "live" ? instance.drainMs : 0,
    );
    return Math.max(0, ...drains);
  }

  /** Ends all checks. */
  stop(): void {
    this.#cancelTimer();
    this.#checker.stop();
  }

  /** An error in handling the outcome of one check affects that check alone; it goes on at its next turn. */
  #report(outcome: TaskOutcome): { readonly inDoubt: boolean } {
    try {
      return this.#take(outcome);
    } catch (error) {
      const instance = outcome.task.instance.key;
      this.#deps.log.error("Outcome of a check cannot be taken", { instance, error });
      const message = `the outcome of a check cannot be taken: ${describeError(error)}`;
      this.#deps.board.set("checks", [{ subject: instance, message, severity: "error" }]);
      return { inDoubt: false };
    }
  }

  #take(outcome: TaskOutcome): { readonly inDoubt: boolean } {
    const { task, probe } = outcome;
    for (const observer of this.#observers) observer.checked?.(outcome);
    const { change, inDoubt } = this.#monitor.observe(
      { monitoredId: task.monitoredId, checkId: task.check.id, probe },
      this.#nowMs(),
    );
    if (change !== null) {
      this.#tell(change);
      this.#follow();
    }
    return { inDoubt };
  }

  #tell({ instance, health, keptUrl }: Change): void {
    const { log } = this.#deps;
    const { key, url } = instance;
    for (const observer of this.#observers) observer.healthChanged?.(instance, health);
    if (health.state === "down" && keptUrl !== null) {
      const { reason } = health;
      return log.warn("New URL of an instance is down, the old one stays", { instance: key, url, reason, keptUrl });
    }
    if (health.state === "live") log.info("Instance is live", { instance: key, url });
    else if (health.state === "down") log.warn("Instance is down", { instance: key, url, reason: health.reason });
  }

  /** Brings the checks, the announcements and the next timer in line with the monitor. */
  #follow(): void {
    const { clock } = this.#deps;
    if (this.#tasksVersion !== this.#monitor.tasksVersion) {
      this.#tasksVersion = this.#monitor.tasksVersion;
      this.#checker.reconcile(this.#monitor.tasks());
    }
    this.#cancelTimer();
    const nowMs = this.#nowMs();
    const nextMs = this.#monitor.nextMs(nowMs);
    if (nextMs !== null) {
      this.#cancelTimer = clock.setTimer(Math.max(1, nextMs - nowMs), () => {
        this.#monitor.tick(this.#nowMs());
        this.#follow();
      });
    }
    if (this.#monitor.isDecided()) this.#decided.resolve();
    this.#deps.board.set("urls", [...this.#monitor.kept()].map(keptProblem));
    this.#tellAnnouncements();
  }

  #tellAnnouncements(): void {
    for (const observer of this.#observers) observer.announcementsChanged?.();
  }

  #nowMs(): number {
    return this.#deps.clock.monotonicMs();
  }
}

function keptProblem({ instance: { key, url }, reason, keptUrl }: Kept): ReportedProblem {
  const message = `its new URL ${url} is down (${reason}): ${keptUrl} stays announced`;
  return { subject: `//${key}`, message, remedy: "start the program there, or take the edit of its file back" };
}
