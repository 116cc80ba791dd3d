import type { ServiceView, CatalogReader } from "@datawire/catalog";
import { assemble, SETTING_UP } from "./assemble.ts";
import { describeProblem } from "./describe-problem.ts";
import { plainText } from "../model/escape.ts";
import { interimView } from "./interim-view.ts";
import { joinKeys } from "../model/keys.ts";
import type { Plan, PlanProblem } from "../model/plan.ts";
import { ReachableTable } from "./reachable-table.ts";
import type { ServiceContext, ServicePlan } from "./service-plan.ts";
import { planService } from "./plan-service.ts";
import { NO_SESSIONS } from "./sessions.ts";
import type { TcpSettings } from "./tcp-ports.ts";

/** What a planner's plans have in common. */
export interface PlannerConfig extends Omit<ServiceContext, "resolve"> {
  readonly tcp: TcpSettings;
}

/** What of a table this machine cannot serve as the table has it. */
export interface Exclusions {
  /** `host:port` → why a TCP service cannot have it. */
  readonly portsTaken: ReadonlyMap<string, string>;
  /** Services that HAProxy refused, with what it said; they are not served, or stay as they were. */
  readonly quarantined: ReadonlyMap<string, string>;
  /** Of these, what was followed of them before, where that is known and was not refused too. */
  readonly kept: ReadonlyMap<string, ServiceView>;
}

/** What a plan is made of beside the table. */
export interface PlanInputs extends Exclusions {
  readonly resolve: ServiceContext["resolve"];
  /** Whether there is a table at all; without one every name gets 503. */
  readonly hasTable: boolean;
  /** The table's, for requests that ask; left out where none may. */
  readonly revision?: number | undefined;
}

/**
 * Makes plans. What one service adds is remembered until that service, or one that its routes name, changes: so a
 * change costs what it touches and an assembly of parts, whatever the size of the table.
 */
export class Planner {
  #config: PlannerConfig;
  readonly #known = new Map<string, ServicePlan>();
  /** The last plan of each service that could be made, for as long as a newer one cannot. */
  readonly #lastGood = new Map<string, ServicePlan>();

  constructor(config: PlannerConfig) {
    this.#config = config;
  }

  /** No request may ask why it goes where it goes. */
  explainNothing(): void {
    this.#config = { ...this.#config, explain: false };
  }

  /** Forgets what was made of these services; of all for null. */
  forget(services: Iterable<string> | null): void {
    if (services === null) return this.#known.clear();
    for (const service of services) this.#known.delete(service);
  }

  plan(table: CatalogReader, inputs: PlanInputs): Plan {
    return this.interim(table, inputs, { held: new Map(), keepsLast: true });
  }

  /**
   * The plan that is followed while some services wait for a reload: theirs is that of `held`, what was followed of
   * them before, with who has died since; everything else is as in `plan`.
   */
  interim(table: CatalogReader, inputs: PlanInputs, { held, keepsLast }: Held): Plan {
    const before = new Map([...inputs.kept, ...held]);
    const views = new Map(
      [...before].map(([name, view]) => {
        // Nothing takes the place of what has been refused.
        const options = { keepsLast: keepsLast && held.has(name) };
        const now = table.service(name);
        // One that has gone is planned no more, so that nothing may lead to it.
        return [name, view === null || now === null ? null : interimView(view, now, options)];
      }),
    );
    const between: CatalogReader = {
      serviceNames: () => table.serviceNames(),
      service: (name) => views.get(name) ?? (views.has(name) ? null : table.service(name)),
    };
    const reachable = new ReachableTable(between, inputs.resolve);
    return this.#assemble(table, inputs, (name) => {
      const view = before.get(name);
      if (view === undefined) return this.#planKnown(reachable, name, this.#context(inputs));
      if (view === null) return nothingOf(name, SETTING_UP);
      const plan = this.#planAlone(reachable, name, this.#context(inputs));
      return plan === null ? null : { ...plan, view };
    });
  }

  #context({ resolve }: PlanInputs): ServiceContext {
    return { ...this.#config, resolve };
  }

  #assemble(table: CatalogReader, inputs: PlanInputs, planOf: (name: string) => ServicePlan | null): Plan {
    const plans: ServicePlan[] = [];
    const problems: PlanProblem[] = [];
    for (const name of [...table.serviceNames()].sort()) {
      const plan = planOf(name);
      if (plan === null) continue;
      const refusal = inputs.quarantined.get(name);
      const isKept = inputs.kept.has(name);
      if (refusal !== undefined) {
        const message = isKept ? `${refusal}; it is served as it was before` : refusal;
        problems.push({ subject: `//${name}`, message });
      }
      if (refusal === undefined || isKept) plans.push(plan);
      else {
        plans.push({ ...nothingOf(name, `left out, ${refusal}`), isTcp: plan.isTcp, problems: plan.problems });
      }
    }
    for (const name of this.#lastGood.keys()) if (table.service(name) === null) this.#lastGood.delete(name);
    const { portsTaken, hasTable, revision } = inputs;
    return assemble(plans, { table, tcp: this.#config.tcp, portsTaken, hasTable, revision, problems });
  }

  #planKnown(table: CatalogReader, name: string, context: ServiceContext): ServicePlan | null {
    const plan = this.#known.get(name) ?? this.#planAlone(table, name, context);
    if (plan !== null) this.#known.set(name, plan);
    return plan;
  }

  /** What goes wrong while one service is planned is that service's problem: it stays as it was, and the others go ahead. */
  #planAlone(table: CatalogReader, name: string, context: ServiceContext): ServicePlan | null {
    try {
      const plan = planService(table, name, context);
      if (plan !== null) this.#lastGood.set(name, plan);
      return plan;
    } catch (error) {
      const message = describeProblem(error);
      const before = this.#lastGood.get(name);
      const how = before === undefined ? "it is not served" : "it is served as it was before";
      const problem: PlanProblem = {
        subject: `//${name}`,
        message: `cannot be planned: ${message}; ${how}`,
        severity: "error",
      };
      return { ...(before ?? nothingOf(name, message)), problems: [problem] };
    }
  }
}

/** Services that wait for a reload. */
export interface Held {
  /** service → what is followed of it; null for one that is new. */
  readonly held: ReadonlyMap<string, ServiceView | null>;
  /** Whether what only ends, and has not failed, stays where nothing else would be left. */
  readonly keepsLast: boolean;
}

/** A service that is known and of which nothing else is. */
function nothingOf(service: string, reason: string): ServicePlan {
  return {
    service,
    view: null,
    isTcp: false,
    backends: new Map(),
    entry: { kind: "down", reason: plainText(reason) },
    splits: [],
    rules: [],
    reasons: null,
    sticky: null,
    keys: joinKeys([]),
    sessions: NO_SESSIONS,
    fallback: [],
    last: null,
    problems: [],
  };
}
