import { describeError } from "@datawire/runtime";
import { adopted, STOPPED } from "../core/reconcile/beginnings.ts";
import { reconcile } from "../core/reconcile/reconcile.ts";
import type { Effect, Event, ReconcileConfig, Result, State, Step, Task } from "../core/reconcile/state.ts";
import { readRunning, UNKNOWN_STRUCTURE } from "../haproxy/read-running.ts";
import { RuntimeApiError } from "../haproxy/runtime-api.ts";
import { Alarm } from "./alarm.ts";
import { ConfigurationRefused, type Rejection } from "./configurator.ts";
import { type DriverConfig, type DriverDeps, type DriverObserver, NO_OBSERVER } from "./driver-types.ts";
import { Tasks } from "./tasks.ts";

/**
 * Keeps one HAProxy following the plan. `reconcile` decides; this does what it says, one task at a time, and tells it
 * what came of each.
 */
export class Driver {
  readonly #config: DriverConfig;
  readonly #deps: DriverDeps;
  readonly #reconciling: ReconcileConfig;
  readonly #tasks: Tasks;
  readonly #alarm: Alarm;
  #observer: DriverObserver = NO_OBSERVER;
  #state: State = STOPPED;
  /** What has happened and has not been taken in yet: changes that come together are one. */
  readonly #events: Event[] = [];

  constructor(config: DriverConfig, deps: DriverDeps) {
    this.#config = config;
    this.#deps = deps;
    this.#reconciling = { ...config, listen: config.settings.listen };
    this.#tasks = new Tasks(config, deps);
    this.#alarm = new Alarm(deps.clock);
    deps.process.onDeath(() => this.#happen({ event: "died" }));
  }

  /** Says that the plan may have changed; `services` are those that did, for one that HAProxy refused before. */
  request(services: Iterable<string>): void {
    const last = this.#events.at(-1);
    if (last?.event === "changed") for (const service of services) last.services.add(service);
    else this.#happen({ event: "changed", services: new Set(services) });
  }

  /** Takes over an HAProxy that runs already. @returns whether there was one. */
  async adopt(): Promise<boolean> {
    const { process, loaded, log, names } = this.#deps;
    const configVersion = await process.adopt();
    if (configVersion === null) return false;
    const structure = await loaded.find(configVersion);
    log.info("HAProxy adopted", { pid: process.pid, generation: configVersion, known: structure !== null });
    const running = await readRunning(process.runtime, this.#config.dir, structure ?? UNKNOWN_STRUCTURE);
    names.note(running.carried);
    this.#state = adopted(running, structure === null ? null : { configVersion, structure, plan: null });
    return true;
  }

  /** Starts an HAProxy where none was adopted. @throws Error when it does not start. */
  async start(): Promise<void> {
    if (this.#state.state !== "stopped") return;
    let { task } = this.#take({ event: "due" });
    let rejection: Rejection = { reason: "", services: [], isSaid: false };
    while (task !== null) {
      const result = await this.#tasks.run(task, this.#observer);
      // From here on it is for `run` to decide.
      if (result.event === "launched") return void this.#events.unshift(result);
      if (result.event === "rejected") rejection = result;
      if (result.event === "rejected" && result.services.length === 0) break;
      ({ task } = this.#take(result));
    }
    throw new ConfigurationRefused(rejection);
  }

  /** Works, and tells the observer what comes of it, until the signal aborts; what is under way then comes to its end. */
  async run(observer: DriverObserver, signal: AbortSignal): Promise<void> {
    const { clock } = this.#deps;
    this.#observer = observer;
    signal.addEventListener("abort", () => this.#alarm.rouse(), { once: true });
    while (!signal.aborted) {
      const { task, dueAtMs } = this.#take(this.#events.shift() ?? { event: "due" });
      if (task !== null) this.#events.push(await this.#resultOf(task));
      else if (this.#events.length === 0)
        await this.#alarm.sleep(dueAtMs === null ? null : Math.max(0, dueAtMs - clock.monotonicMs()));
    }
  }

  #happen(event: Event): void {
    this.#events.push(event);
    this.#alarm.rouse();
  }

  #take(event: Event): Step {
    const { clock, planning } = this.#deps;
    const step = reconcile(this.#state, event, { config: this.#reconciling, planning, nowMs: clock.monotonicMs() });
    this.#state = step.state;
    for (const effect of step.effects) this.#do(effect);
    return step;
  }

  async #resultOf(task: Task): Promise<Result> {
    try {
      return await this.#tasks.run(task, this.#observer);
    } catch (error) {
      const isRefused = error instanceof RuntimeApiError && error.code === "refused";
      return { event: "failed", reason: describeError(error), isRefused };
    }
  }

  #do(effect: Effect): void {
    const { process, log } = this.#deps;
    const observer = this.#observer;
    switch (effect.effect) {
      case "release ports":
        return process.releasePorts();
      case "applied":
        return observer.applied(effect.problems);
      case "reloaded": {
        const { reload, durationMs } = effect;
        log.info("HAProxy reloaded", { ...reload, ms: Math.round(durationMs) });
        return observer.reloaded(reload, durationMs);
      }
      case "reload failed":
        return observer.reloadFailed(effect.reason);
      case "refused": {
        const { reload, reason } = effect;
        return log.error("HAProxy refuses the configuration, the old one stays", { ...reload, reason });
      }
      case "quarantined": {
        const { service, reason } = effect;
        return log.error("Service left out, HAProxy refuses its part", { service, reason });
      }
      case "port taken": {
        const { service, port, reason } = effect;
        return log.error("TCP service without its port", { service, port, reason });
      }
      case "failed":
        return log.warn("HAProxy could not be brought to the plan, trying again", { error: effect.reason });
      case "unreadable":
        return log.warn("HAProxy does not say what it holds", { error: effect.reason });
      case "struggles":
        return observer.struggles(effect.reason);
    }
  }
}
