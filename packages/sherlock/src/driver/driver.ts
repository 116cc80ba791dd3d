import type { ServiceView } from "@datawire/catalog";
import { describeError } from "@datawire/runtime";
import { addChange, dueAtMs, type Waiting } from "../core/reconcile/coalesce.ts";
import { commandText } from "../core/render/commands-text.ts";
import { type Command, note, runningOf } from "../core/model/commands.ts";
import { loadedBlocks } from "../core/model/files.ts";
import { handoverCommands } from "../core/transition/handover.ts";
import type { Plan, PlanProblem } from "../core/model/plan.ts";
import type { Exclusions } from "../core/planner/planner.ts";
import { preparedFor } from "../core/transition/prepared.ts";
import type { Running } from "../core/model/running.ts";
import { nextRound, type Round } from "../core/transition/transition.ts";
import type { Reload } from "../core/transition/waiting.ts";
import { Alarm } from "./alarm.ts";
import { ConfigurationRefused } from "./configurator.ts";
import type { DriverConfig, DriverDeps } from "./driver-types.ts";
import { newGeneration } from "./generation.ts";
import { Installation, type Startable } from "./installation.ts";
import { readRunning, readServers, UNKNOWN_STRUCTURE } from "../haproxy/read-running.ts";
import { Reaper } from "./reaper.ts";
import { RuntimeApiError } from "../haproxy/runtime-api.ts";
import { clearServerState, saveServerState } from "../haproxy/server-state.ts";
import { TakenPorts } from "./taken-ports.ts";
import { TemplateError } from "../setup/template.ts";

const RETRY_MS = 20;
const RETRY_MS_MAX = 5_000;
/** So many times a refused command is answered by reading the state anew; then by a reload. */
const REPAIRS_MAX = 3;
const UNUSED_BACKENDS_MAX = 200;

/**
 * Keeps one HAProxy following the plan: nothing where nothing changed, commands where they do, else a reload, one at a
 * time. Everything that changes HAProxy happens in this one loop, one after the other.
 */
export class Driver {
  readonly #config: DriverConfig;
  readonly #deps: DriverDeps;
  readonly #reaper: Reaper;
  readonly #ports: TakenPorts;
  readonly #alarm: Alarm;
  readonly #installation: Installation;
  #running: Running | null = null;
  /** The plan that HAProxy follows, as far as that is known. */
  #followed: Plan | null = null;
  #changed = true;
  #waiting: Waiting | null = null;
  #lastReloadMs: number | null = null;
  #repairs = 0;
  #problem: string | null = null;
  /** The configuration was refused as the plan is: only a change helps. */
  #refused = false;
  #failures = 0;

  constructor(config: DriverConfig, deps: DriverDeps) {
    this.#config = config;
    this.#deps = deps;
    this.#reaper = new Reaper(deps);
    this.#ports = new TakenPorts(deps);
    this.#alarm = new Alarm(deps.clock);
    this.#installation = new Installation({ shared: config.shared, listen: config.settings.listen }, deps);
  }

  /** Says that the plan may have changed; `services` are those that did, for one that HAProxy refused before. */
  request(services: Iterable<string>): void {
    this.#deps.configurator.release(services);
    this.#changed = true;
    this.#refused = false;
    this.#alarm.rouse();
  }

  /** HAProxy has ended: it is started again at once. */
  lost(): void {
    this.#running = null;
    this.#alarm.rouse();
  }

  /** Takes over an HAProxy that runs already. @returns whether there was one. */
  async adopt(): Promise<boolean> {
    const { process, loaded, log } = this.#deps;
    const generation = await process.adopt();
    if (generation === null) return false;
    const structure = await loaded.find(generation);
    log.info("HAProxy adopted", { pid: process.pid, generation, known: structure !== null });
    this.#running = await readRunning(process.runtime, this.#config.dir, structure ?? UNKNOWN_STRUCTURE);
    this.#installation.adopt(generation, structure);
    return true;
  }

  /** Starts an HAProxy where none was adopted. @throws Error when it does not start. */
  async start(): Promise<void> {
    if (this.#running === null) await this.#spawn();
  }

  /** Works until the signal aborts. */
  async run(signal: AbortSignal): Promise<void> {
    const { log, observer } = this.#deps;
    signal.addEventListener("abort", () => this.#alarm.rouse(), { once: true });
    while (!signal.aborted) {
      let delayMs: number | null;
      try {
        delayMs = await this.#work();
        if (this.#failures > 0) observer.struggles(null);
        this.#failures = 0;
      } catch (error) {
        this.#changed = true;
        log.warn("HAProxy could not be brought to the plan, trying again", { error: describeError(error) });
        if (this.#failures > 0) observer.struggles(describeError(error));
        if (error instanceof RuntimeApiError && error.code === "refused") this.#repairs++;
        if (this.#running !== null) await this.#resynchronise();
        delayMs = Math.min(RETRY_MS_MAX, RETRY_MS * 2 ** this.#failures++);
      }
      await this.#alarm.sleep(delayMs);
    }
  }

  /** One round. @returns how long until the next one is due by itself; null for never. */
  async #work(): Promise<number | null> {
    const { clock, makePlan, observer } = this.#deps;
    if (this.#running === null) await this.#spawn();
    if (await this.#ports.recheck()) this.#changed = true;
    const changed = this.#changed;
    this.#changed = false; // what comes from here on is for the next round
    const plan = makePlan(this.#findings());
    const running = this.#running;
    if (plan === null || running === null) return null;
    const before = this.#followed;
    const todo = this.#round(running, plan);
    await this.#run(todo.commands, todo.now);
    if (this.#config.runtimeCommands) {
      this.#followed = todo.now;
      this.#reaper.observe(running, todo.now, before);
      await this.#reaper.reap(running, todo.now, this.#deps.process);
    }
    if (todo.reload === null) {
      this.#waiting = null;
      this.#repairs = 0;
      if (changed) observer.applied(this.#problems(plan));
      return this.#soonest(this.#reaper.delayMs(), this.#ports.delayMs(), await this.#installation.flush(plan));
    }
    if (this.#refused) return this.#soonest(this.#reaper.delayMs(), this.#ports.delayMs());
    const nowMs = clock.monotonicMs();
    if (changed || this.#waiting === null) this.#waiting = addChange(this.#waiting, nowMs);
    const dueMs = dueAtMs(this.#waiting, this.#lastReloadMs, this.#config.coalesce);
    if (dueMs > nowMs) return this.#soonest(dueMs - nowMs, this.#reaper.delayMs());
    this.#waiting = null;
    await this.#reload(todo.reload, running, plan);
    this.#changed = true;
    return 0;
  }

  #round(running: Running, plan: Plan): Round {
    const { shared, dynamicServers } = this.#config;
    // What was refused comes with no reload: what ends then ends at once.
    const keepsLast = !this.#refused;
    const todo = nextRound(running, plan, {
      shared,
      dynamicServers,
      unusedBackendsMax: UNUSED_BACKENDS_MAX,
      followed: this.#followed,
      interim: (held) => this.#deps.makeInterim(this.#findings(), { held, keepsLast }),
    });
    if (todo.commands.length === 0) return todo;
    if (!this.#config.runtimeCommands) return { ...todo, commands: [], reload: todo.reload ?? BY_RELOAD_ONLY };
    if (this.#repairs < REPAIRS_MAX) return todo;
    const detail = `${todo.commands.length} commands were refused`;
    return { commands: [], reload: { reason: "repair", detail }, now: this.#followed ?? todo.now };
  }

  /** What a reload brings; where no command helps, it changes everything by itself. */
  #prepared(running: Running, plan: Plan): Plan {
    if (!this.#config.runtimeCommands || this.#repairs >= REPAIRS_MAX) return plan;
    return preparedFor(plan, this.#round(running, plan).now);
  }

  async #run(commands: readonly Command[], plan: Plan): Promise<void> {
    const running = this.#running;
    if (commands.length === 0 || running === null) return;
    const { dir, settings } = this.#config;
    const context = { backends: plan.structure.backends, maps: dir.maps, caFile: settings.caFile };
    const texts = commands.flatMap((command) => commandText(command, context));
    await this.#deps.process.runtime.run(texts);
    for (const command of commands) note(running, command);
    this.#installation.changed();
    this.#deps.observer.commands(texts.length);
  }

  /** Starts HAProxy: with the files as they are where it ran before, since every millisecond counts then. */
  async #spawn(): Promise<void> {
    const { process, log, clock } = this.#deps;
    const startedMs = clock.monotonicMs();
    process.releasePorts();
    const installed = (await this.#installation.restore()) ?? (await this.#install());
    await clearServerState(this.#config.dir.serverState);
    await process.start(installed.generation);
    this.#installation.runs(installed);
    const { plan, structure } = installed;
    this.#running = { loaded: structure, ...runningOf(plan), blocks: loadedBlocks(plan) };
    this.#followed = plan;
    this.#lastReloadMs = clock.monotonicMs();
    this.#changed = true;
    log.info("HAProxy started", { pid: process.pid, ms: Math.round(this.#lastReloadMs - startedMs) });
  }

  async #install(): Promise<Startable> {
    const { configurator, makePlan, emptyPlan, clock } = this.#deps;
    const generation = newGeneration(clock);
    const again = (leftOut: ReadonlyMap<string, string>, kept: ReadonlySet<string>): Plan =>
      makePlan(this.#findings(leftOut, kept)) ?? emptyPlan();
    await this.#ports.check(again(configurator.leftOut, configurator.kept).structure.tcpListeners.values(), []);
    const { plan } = await configurator.prepare(again, generation);
    return this.#installation.install(plan, generation);
  }

  /** Brings the structure of a plan; what that plan changes for requests is for the commands after it. */
  async #reload(reload: Reload, running: Running, plan: Plan): Promise<void> {
    const { process, configurator, makePlan, log, clock, observer } = this.#deps;
    const { dir, handsOver } = this.#config;
    const startedMs = clock.monotonicMs();
    await this.#ports.check(plan.structure.tcpListeners.values(), running.loaded.listeners.values());
    const generation = newGeneration(clock);
    const wanted = (leftOut: ReadonlyMap<string, string>, kept: ReadonlySet<string>): Plan =>
      makePlan(this.#findings(leftOut, kept)) ?? plan;
    try {
      const candidate = await configurator.prepare(
        (leftOut, kept) => this.#prepared(running, wanted(leftOut, kept)),
        generation,
      );
      // Without the services that HAProxy refuses, nothing may be left that needs a reload.
      if (this.#round(running, wanted(configurator.leftOut, configurator.kept)).reload === null) return;
      await observer.beforeReload();
      const installed = await this.#installation.install(candidate.plan, generation);
      await saveServerState(dir.serverState, process.runtime, installed.plan);
      await process.reload(generation);
      await process.retire(handsOver ? handoverCommands(dir.maps) : []);
      // The servers are read back: HAProxy keeps some of their state over a reload by itself.
      const servers = await readServers(process.runtime);
      const { plan: brought, structure } = installed;
      this.#running = { ...runningOf(brought), loaded: structure, blocks: loadedBlocks(brought), servers };
      this.#followed = brought;
      this.#installation.runs(installed);
      this.#problem = null;
      this.#repairs = 0;
      const durationMs = clock.monotonicMs() - startedMs;
      log.info("HAProxy reloaded", { ...reload, ms: Math.round(durationMs) });
      observer.reloaded(reload, durationMs);
    } catch (error) {
      const reason = describeError(error);
      observer.reloadFailed(reason);
      if (!(error instanceof ConfigurationRefused) && !(error instanceof TemplateError)) throw error;
      log.error("HAProxy refuses the configuration, the old one stays", { ...reload, reason });
      this.#problem = reason;
      this.#refused = true;
      observer.applied(this.#problems(plan));
    } finally {
      this.#lastReloadMs = clock.monotonicMs();
    }
  }

  /** After a refusal or a broken socket: what HAProxy holds is read anew. */
  async #resynchronise(): Promise<void> {
    const { process, log } = this.#deps;
    const running = this.#running;
    if (running === null) return;
    try {
      const fresh = await readRunning(process.runtime, this.#config.dir, running.loaded);
      if (this.#running === running) this.#running = fresh;
    } catch (error) {
      log.warn("HAProxy does not say what it holds", { error: describeError(error) });
    }
  }

  #problems(plan: Plan): PlanProblem[] {
    const own = this.#problem === null ? [] : [{ subject: "HAProxy", message: this.#problem }];
    return [...own, ...plan.problems];
  }

  #findings(leftOut = this.#deps.configurator.leftOut, kept = this.#deps.configurator.kept): Exclusions {
    const views = new Map<string, ServiceView>();
    for (const service of kept) {
      const view = this.#followed?.views.get(service);
      if (view !== undefined) views.set(service, view);
    }
    return { quarantined: leftOut, kept: views, portsTaken: this.#ports.reasons };
  }

  #soonest(...delays: readonly (number | null)[]): number | null {
    const known = delays.filter((delay) => delay !== null);
    return known.length === 0 ? null : Math.min(...known);
  }
}

const BY_RELOAD_ONLY: Reload = { reason: "server", detail: "the template has no runtime socket" };
