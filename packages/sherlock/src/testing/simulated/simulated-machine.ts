import { isDeepStrictEqual } from "node:util";
import { Catalog } from "@datawire/catalog";
import type { Plan } from "../../core/model/plan.ts";
import type { Exclusions, Planner } from "../../core/planner/planner.ts";
import { STOPPED } from "../../core/reconcile/beginnings.ts";
import { reconcile } from "../../core/reconcile/reconcile.ts";
import type {
  Effect,
  Event,
  PlanSource,
  ReconcileConfig,
  Result,
  State,
  Task,
  WholeFiles,
} from "../../core/reconcile/state.ts";
import { steps } from "../../core/transition/steps.ts";
import { wholeScope } from "../../core/transition/scope.ts";
import { waitingFor } from "../../core/transition/waiting.ts";
import { contentsOf, INPUTS, plannerOf, SHARED } from "../plans.ts";
import { SimulatedProxy } from "./simulated-proxy.ts";

/** What a simulated machine begins with. */
export interface SimulatedMachineOptions {
  readonly table: Catalog;
  readonly config?: Partial<ReconcileConfig>;
  /** Which services' parts HAProxy refuses, of a configuration. */
  readonly refuses?: (plan: Plan) => readonly string[];
  /** Called after each command, reload and start, with what requests meet then. */
  readonly onMoment?: (proxy: SimulatedProxy, what: string) => void;
  /** Called when it is told that HAProxy follows that table, with what requests meet then. */
  readonly onApplied?: (table: Catalog, proxy: SimulatedProxy) => void;
}

/**
 * A machine without a process: `reconcile` with a simulated HAProxy, on a clock of its own. A task begins at once and
 * takes effect when the test says that it ends, wholly, in part or not at all.
 */
export class SimulatedMachine {
  readonly #config: ReconcileConfig;
  readonly #refuses: (plan: Plan) => readonly string[];
  readonly #onMoment: (proxy: SimulatedProxy, what: string) => void;
  readonly #onApplied: (table: Catalog, proxy: SimulatedProxy) => void;
  #plannedTable: Catalog;
  readonly #planner: Planner = plannerOf();
  /** The table that is planned: it changes as a directory's does, so that each plan is made of the one before. */
  readonly #live = new Catalog();
  readonly #planning: PlanSource;
  table: Catalog;
  nowMs = 0;
  state: State = STOPPED;
  task: Task | null = null;
  dueAtMs: number | null = null;
  readonly effects: Effect[] = [];
  proxy: SimulatedProxy | null = null;
  /** How many tables there have been, and of which the last plan was made. */
  tables = 1;
  planned = 0;
  /** Of which table it was last told that HAProxy follows it. */
  applied = 0;
  #versions = 0;

  constructor({
    table,
    config = {},
    refuses = () => [],
    onMoment = () => {},
    onApplied = () => {},
  }: SimulatedMachineOptions) {
    this.table = table;
    this.#refuses = refuses;
    this.#onMoment = onMoment;
    this.#onApplied = onApplied;
    this.#plannedTable = table;
    this.#config = {
      shared: SHARED,
      listen: [],
      dynamicServers: true,
      runtimeCommands: true,
      coalesce: { quietMs: 25, waitMsMax: 1_000, gapMs: 300 },
      spares: 0,
      refill: { quietMs: 1_000, waitMsMax: 10_000, gapMs: 2_000 },
      ...config,
    };
    this.#live.apply(this.#live.changeTo(table.snapshot()));
    const inputs = (exclusions: Exclusions) => ({ ...INPUTS, ...exclusions });
    const sameAnew = (plan: Plan, make: (planner: Planner) => Plan): Plan => {
      if (!isDeepStrictEqual(contentsOf(plan), contentsOf(make(plannerOf()))))
        throw new Error("A plan that was made of the one before is not what it is when it is made anew");
      return plan;
    };
    this.#planning = {
      plan: (exclusions) => {
        this.planned = this.tables;
        this.#plannedTable = this.table;
        const make = (planner: Planner): Plan => planner.plan(this.#live, inputs(exclusions));
        return sameAnew(make(this.#planner), make);
      },
      interim: (exclusions, held) => {
        const make = (planner: Planner): Plan => planner.interim(this.#live, inputs(exclusions), held);
        return sameAnew(make(this.#planner), make);
      },
      empty: () => this.#planner.plan(this.#live, { ...INPUTS, hasTable: false }),
    };
  }

  /** Something happens. @throws Error when a task would begin while another is under way. */
  take(event: Event): void {
    const step = reconcile(this.state, event, {
      config: this.#config,
      nowMs: this.nowMs,
      planning: this.#planning,
    });
    this.state = step.state;
    this.#checkSettled();
    this.dueAtMs = step.dueAtMs;
    this.effects.push(...step.effects);
    if (step.effects.some(({ effect }) => effect === "applied")) {
      this.applied = this.planned;
      if (this.proxy !== null) this.#onApplied(this.#plannedTable, this.proxy);
    }
    if (step.task === null) return;
    if (this.task !== null) throw new Error(`${step.task.do} begins while ${this.task.do} is under way`);
    this.task = step.task;
  }

  /** The table becomes another one, which the directory has told of. */
  become(table: Catalog): void {
    const services = this.#live.apply(this.#live.changeTo(table.snapshot()));
    this.table = table;
    this.tables++;
    this.#planner.forget(services);
    this.take({ event: "changed", services });
  }

  /** What is known to be settled is so: a comparison of everything finds nothing to do, and nothing that waits. */
  #checkSettled(): void {
    if (this.state.state !== "idle") return;
    const { running, followed, isSettled } = this.state.proxy;
    if (!isSettled || followed === null) return;
    const frozen = new Set<string>();
    const commands = steps(running, followed, { frozen, followed, scope: wholeScope(running, followed) });
    const { shared, dynamicServers } = this.#config;
    const options = { shared, dynamicServers, unusedBackendsMax: Infinity, followed, isSettled: false };
    const { services } = waitingFor(running, followed, options);
    if (commands.length + services.size > 0)
      throw new Error(`It is not settled: ${JSON.stringify({ commands, waits: [...services] })}`);
  }

  /** HAProxy ends. */
  die(): void {
    if (this.proxy === null) return;
    this.proxy = null;
    this.take({ event: "died" });
  }

  /** The task under way ends as it should, where HAProxy lives. */
  finish(): void {
    const { task } = this;
    if (task === null) return;
    this.task = null;
    this.take(this.#resultOf(task));
  }

  /** The task under way fails after a part of it, from 0 to 1, has taken effect. */
  fail(part: number, isRefused: boolean): void {
    const { task, proxy } = this;
    if (task === null) return;
    this.task = null;
    if (task.do === "command" && proxy !== null)
      this.#command(proxy, task.commands.slice(0, Math.floor(task.commands.length * part)));
    if (task.do === "reload" && proxy !== null && part > 0.5) this.#runs(task.files, "a reload that seemed to fail");
    this.take({ event: "failed", reason: `no ${task.do}`, isRefused });
  }

  /** Time goes by. */
  pass(ms: number): void {
    const untilMs = this.nowMs + ms;
    while (this.task === null && this.dueAtMs !== null && this.dueAtMs <= untilMs) {
      this.nowMs = Math.max(this.nowMs, this.dueAtMs);
      this.take({ event: "due" });
    }
    this.nowMs = untilMs;
  }

  /** Lets everything end well, until nothing is left to do but what has its time much later. */
  settle(): void {
    for (let i = 0; i < 200; i++) {
      if (this.task !== null) this.finish();
      else if (this.state.state === "idle" && (this.dueAtMs === null || this.dueAtMs > this.nowMs + 10_000)) return;
      else this.pass(500);
    }
    throw new Error(`Never settles: ${JSON.stringify({ state: this.state.state, dueAtMs: this.dueAtMs })}`);
  }

  #resultOf(task: Task): Result {
    const { proxy } = this;
    const dead: Result = { event: "failed", reason: "HAProxy does not answer", isRefused: false };
    switch (task.do) {
      case "try ports":
        return { event: "ports tried", taken: new Map() };
      case "validate": {
        const services = this.#refuses(task.plan);
        if (services.length > 0) return { event: "rejected", reason: "no good", services, isSaid: true };
        return { event: "accepted", configVersion: `v${++this.#versions}` };
      }
      case "launch":
        this.#runs(task.files, "a start");
        return { event: "launched" };
      case "command":
        if (proxy === null) return dead;
        this.#command(proxy, task.commands);
        return { event: "commanded" };
      case "end servers":
        if (proxy === null) return dead;
        for (const id of task.remove) proxy.remove(id);
        return { event: "ended", removed: task.remove };
      case "write files":
        return { event: "written" };
      case "reload":
        if (proxy === null) return dead;
        return { event: "reloaded", servers: this.#runs(task.files, "a reload").holds(task.files.structure).servers };
      case "read":
        return proxy === null ? dead : { event: "read", running: proxy.holds(task.loaded) };
    }
  }

  #command(proxy: SimulatedProxy, commands: Extract<Task, { readonly do: "command" }>["commands"]): void {
    for (const command of commands) proxy.apply(command);
    this.#onMoment(proxy, `${commands.length} commands`);
  }

  #runs({ plan, structure }: WholeFiles, what: string): SimulatedProxy {
    this.proxy = new SimulatedProxy(plan, structure.spares);
    this.#onMoment(this.proxy, what);
    return this.proxy;
  }
}
