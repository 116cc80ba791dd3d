import type { ServiceView, CatalogReader } from "@datawire/catalog";
import { parseServiceAddress } from "@datawire/protocol";
import { type Assembly, NOTHING_ASSEMBLED, planOf, reassemble } from "./assemble.ts";
import { describeProblem } from "./describe-problem.ts";
import { plainText } from "../model/escape.ts";
import { interimView } from "./interim-view.ts";
import { joinKeys } from "../model/keys.ts";
import type { Plan, PlanProblem } from "../model/plan.ts";
import { SETTING_UP } from "./plan-part.ts";
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
 * Makes plans. What one service adds is remembered until that service, or one that its routes name, changes, and the
 * next plan is made of the last: so a change costs what it touches, whatever the size of the table.
 */
export class Planner {
  #config: PlannerConfig;
  readonly #known = new Map<string, ServicePlan>();
  /** The last plan of each service that could be made, for as long as a newer one cannot. */
  readonly #lastGood = new Map<string, ServicePlan>();
  /** What was put together last, of which table and with which exclusions. */
  #last: { readonly table: CatalogReader; readonly exclusions: Exclusions } | null = null;
  #assembly: Assembly = NOTHING_ASSEMBLED;
  /** What has changed since; null for all. */
  #changed: Set<string> | null = null;

  constructor(config: PlannerConfig) {
    this.#config = config;
  }

  /** No request may ask why it goes where it goes. */
  explainNothing(): void {
    this.#config = { ...this.#config, explain: false };
  }

  /** Forgets what was made of these services; of all for null. */
  forget(services: Iterable<string> | null): void {
    if (services === null) {
      this.#known.clear();
      this.#changed = null;
      return;
    }
    for (const service of services) {
      this.#known.delete(service);
      this.#changed?.add(service);
    }
  }

  plan(table: CatalogReader, inputs: PlanInputs): Plan {
    return this.#finished(this.#assembled(table, inputs), inputs);
  }

  /**
   * The plan that is followed while some services wait for a reload: theirs is that of `held`, what was followed of
   * them before, with who has died since; everything else is as in `plan`.
   */
  interim(table: CatalogReader, inputs: PlanInputs, held: Held): Plan {
    const planOf = this.#planMaker(table, inputs, held);
    const names = [...inputs.kept.keys(), ...held.held.keys()];
    const changes = new Map(names.map((name) => [name, planOf(name)]));
    return this.#finished(this.#reassembled(this.#assembled(table, inputs), changes, { table, inputs }), inputs);
  }

  /** The assembly of now, made of the last one. */
  #assembled(table: CatalogReader, inputs: PlanInputs): Assembly {
    const planOf = this.#planMaker(table, inputs, NONE_HELD);
    const last = this.#last?.table === table ? this.#last : null;
    this.forget(leadingTo(differing(this.#last?.exclusions.kept ?? new Map(), inputs.kept), table));
    const names =
      last === null || this.#changed === null
        ? new Set([...table.serviceNames(), ...this.#assembly.parts.keys()])
        : new Set([...this.#changed, ...differingExclusions(last.exclusions, inputs)]);
    // Their routes may lead where those of the table do not.
    for (const name of inputs.kept.keys()) names.add(name);
    const changes = new Map<string, ServicePlan | null>();
    for (const name of names) {
      if (table.service(name) === null) this.#lastGood.delete(name);
      const plan = planOf(name);
      if (plan !== (this.#assembly.parts.get(name)?.plan ?? null)) changes.set(name, plan);
    }
    const { quarantined, kept, portsTaken } = inputs;
    this.#assembly = this.#reassembled(this.#assembly, changes, { table, inputs });
    this.#last = { table, exclusions: { quarantined, kept, portsTaken } };
    this.#changed = new Set();
    return this.#assembly;
  }

  #reassembled(
    before: Assembly,
    changes: ReadonlyMap<string, ServicePlan | null>,
    { table, inputs }: { readonly table: CatalogReader; readonly inputs: PlanInputs },
  ): Assembly {
    const proposalOf = (name: string): number | null => table.service(name)?.service.proxyPort ?? null;
    return reassemble(before, changes, { tcp: this.#config.tcp, portsTaken: inputs.portsTaken, proposalOf });
  }

  #finished(assembly: Assembly, { quarantined, kept, hasTable, revision }: PlanInputs): Plan {
    const problems = [...quarantined]
      .filter(([name]) => assembly.parts.has(name))
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([name, refusal]): PlanProblem => {
        const message = kept.has(name) ? `${refusal}; it is served as it was before` : refusal;
        return { subject: `//${name}`, message };
      });
    return planOf(assembly, { hasTable, revision, problems });
  }

  /** Says what is planned of a service; null for one that the table does not have. */
  #planMaker(
    table: CatalogReader,
    inputs: PlanInputs,
    { held, keepsLast }: Held,
  ): (name: string) => ServicePlan | null {
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
    const context: ServiceContext = { ...this.#config, resolve: inputs.resolve };
    const made = (name: string): ServicePlan | null => {
      const view = before.get(name);
      if (view === undefined) return this.#planKnown(reachable, name, context);
      if (view === null) return nothingOf(name, SETTING_UP);
      const plan = this.#planAlone(reachable, name, context);
      return plan === null ? null : { ...plan, view };
    };
    return (name) => {
      const plan = table.service(name) === null ? null : made(name);
      const refusal = inputs.quarantined.get(name);
      if (plan === null || refusal === undefined || inputs.kept.has(name)) return plan;
      return { ...nothingOf(name, `left out, ${refusal}`), isTcp: plan.isTcp, problems: plan.problems };
    };
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

const NONE_HELD: Held = { held: new Map(), keepsLast: true };

/** The services that one of two exclusions has otherwise than the other. */
function differingExclusions(before: Exclusions, now: Exclusions): string[] {
  return [...differing(before.quarantined, now.quarantined), ...differing(before.kept, now.kept)];
}

function differing<T>(before: ReadonlyMap<string, T>, now: ReadonlyMap<string, T>): Set<string> {
  return new Set([...before.keys(), ...now.keys()].filter((name) => before.get(name) !== now.get(name)));
}

/** The services whose routes lead to some, which are planned as these are: as they were, or as the table has them. */
function leadingTo(some: ReadonlySet<string>, table: CatalogReader): string[] {
  if (some.size === 0) return [];
  return [...table.serviceNames()].filter((name) =>
    table
      .service(name)
      ?.tables.some(({ routes }) => routes.some(({ target }) => some.has(parseServiceAddress(target).service))),
  );
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
