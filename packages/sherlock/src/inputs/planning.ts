import { subjectOf } from "@datawire/protocol";
import { Catalog } from "@datawire/catalog";
import type { Position, CatalogFollower } from "@datawire/link";
import { isLoopback } from "@datawire/runtime";
import type { Plan, PlannedServer, PlanProblem } from "../core/model/plan.ts";
import { type Exclusions, type Held, Planner, type PlanInputs } from "../core/planner/planner.ts";
import type { Resolve } from "../core/planner/reachable-table.ts";
import type { SessionIds } from "../core/planner/sessions.ts";
import type { Proxy } from "../setup/proxy.ts";
import type { SherlockSettings } from "../config/settings.ts";

/** Makes plans of the table as it is, and remembers of which. */
export class Planning {
  readonly #planner: Planner;
  readonly #follower: Pick<CatalogFollower, "table" | "status" | "leftOut">;
  readonly #resolve: Resolve;
  #explain: boolean;
  /** How much of what has come into the table is not forgotten yet. */
  #announced = 0;
  /** The last table of which all was planned. */
  #position: Position | null = null;
  /** The last plan that held while something waited. */
  #interim: Plan | null = null;
  #last: { readonly plan: Plan; readonly exclusions: string } | null = null;

  constructor(
    settings: SherlockSettings,
    {
      proxy,
      follower,
      resolve,
      sessionIds,
    }: {
      readonly proxy: Pick<Proxy, "listen" | "settings">;
      readonly follower: Pick<CatalogFollower, "table" | "status" | "leftOut">;
      readonly resolve: Resolve;
      readonly sessionIds: SessionIds;
    },
  ) {
    this.#planner = new Planner({
      caller: settings.name,
      zone: settings.zone,
      overrides: settings.overrides,
      features: proxy.settings.features,
      stickyIp: proxy.listen.some(({ host }) => !isLoopback(host)),
      tcp: settings.tcp,
      sessionIds,
      explain: settings.explain,
    });
    this.#explain = settings.explain;
    this.#follower = follower;
    this.#resolve = resolve;
  }

  /**
   * Says that news has come into the table whose services are forgotten later, once their names are known: until then
   * the plans of these services are of an earlier table, and so is the position, whatever else is planned meanwhile.
   * @returns what says that they are forgotten now.
   */
  announce(): () => void {
    this.#announced++;
    return () => void this.#announced--;
  }

  /** The services whose plan may differ from before; all for null. */
  forget(services: Iterable<string> | null): void {
    this.#planner.forget(services);
    this.#last = null;
    this.#interim = null;
  }

  /** The plan of now, or null before the first table. */
  plan(exclusions: Exclusions): Plan | null {
    const status = this.#follower.status();
    if (status.origin === "none") return null;
    const key = JSON.stringify([[...exclusions.quarantined], [...exclusions.portsTaken], [...exclusions.kept.keys()]]);
    if (this.#last?.exclusions === key) return this.#last.plan;
    if (this.#announced === 0) this.#position = status.position;
    const made = this.#make(this.#follower.table, exclusions, true);
    const plan = { ...made, problems: [...this.#unread(), ...made.problems] };
    this.#last = { plan, exclusions: key };
    return plan;
  }

  /** The table up to which all news is in the last plan; null without a plan. */
  get position(): Position | null {
    return this.#last === null ? null : this.#position;
  }

  /** The last plan. */
  get current(): Plan | null {
    return this.#last?.plan ?? null;
  }

  /** The plan that holds while services wait for a reload: those as they were, without who has died since. */
  interim(exclusions: Exclusions, held: Held): Plan {
    this.#interim = this.#planner.interim(this.#follower.table, this.#inputs(exclusions, true), held);
    return this.#interim;
  }

  /** What a server of HAProxy stands for, as it is planned or was until a moment ago; null for none. */
  serverOf(backend: string, server: string): PlannedServer | null {
    const find = (plan: Plan | null): PlannedServer | undefined => plan?.servers.get(backend)?.get(server);
    return find(this.current) ?? find(this.#interim) ?? null;
  }

  /** Plans nothing for requests that ask why they go where they go: the template answers none. */
  explainNothing(): void {
    this.#explain = false;
    this.#planner.explainNothing();
    this.forget(null);
  }

  /** A plan in which every name gets 503. */
  empty(): Plan {
    return this.#make(new Catalog(), { quarantined: new Map(), kept: new Map(), portsTaken: new Map() }, false);
  }

  /** What the directory's table has and this version cannot read. */
  #unread(): PlanProblem[] {
    return this.#follower.leftOut().map((one) => ({
      subject: subjectOf(one),
      message: `${one.reason}; what was known of it before stays in force`,
      severity: "error",
      remedy: "if the directory is newer than this Sherlock, bring it to the same version",
    }));
  }

  #make(table: Catalog, exclusions: Exclusions, hasTable: boolean): Plan {
    return this.#planner.plan(table, this.#inputs(exclusions, hasTable));
  }

  #inputs(exclusions: Exclusions, hasTable: boolean): PlanInputs {
    const revision = this.#explain ? this.#position?.revision : undefined;
    return { ...exclusions, resolve: this.#resolve, hasTable, revision };
  }
}
