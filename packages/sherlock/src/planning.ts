import { subjectOf, Table } from "@datawire/protocol";
import type { Position, TableFollower } from "@datawire/link";
import { isLoopback } from "@datawire/runtime";
import type { Plan, PlanProblem } from "./core/plan.ts";
import { Planner } from "./core/planner.ts";
import type { Resolve } from "./core/reachable-table.ts";
import type { SessionIds } from "./core/sessions.ts";
import type { Findings } from "./io/driver-types.ts";
import type { Proxy } from "./proxy.ts";
import type { SherlockSettings } from "./settings.ts";

/** Makes plans of the table as it is, and remembers of which. */
export class Planning {
  readonly #planner: Planner;
  readonly #follower: Pick<TableFollower, "table" | "status" | "leftOut">;
  readonly #resolve: Resolve;
  #last: { readonly plan: Plan; readonly position: Position | null; readonly findings: string } | null = null;

  constructor(
    settings: SherlockSettings,
    {
      proxy,
      follower,
      resolve,
      sessionIds,
    }: {
      readonly proxy: Pick<Proxy, "listen" | "settings">;
      readonly follower: Pick<TableFollower, "table" | "status" | "leftOut">;
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
    });
    this.#follower = follower;
    this.#resolve = resolve;
  }

  /** The services whose plan may differ from before; all for null. */
  forget(services: Iterable<string> | null): void {
    this.#planner.forget(services);
    this.#last = null;
  }

  /** The plan of now, or null before the first table. */
  plan(findings: Findings): Plan | null {
    const status = this.#follower.status();
    if (status.origin === "none") return null;
    const key = JSON.stringify([[...findings.leftOut], [...findings.portsTaken]]);
    if (this.#last?.findings === key) return this.#last.plan;
    const made = this.#make(this.#follower.table, findings, true);
    const plan = { ...made, problems: [...this.#unread(), ...made.problems] };
    this.#last = { plan, position: status.position, findings: key };
    return plan;
  }

  /** Which table the last plan was made of. */
  get position(): Position | null {
    return this.#last?.position ?? null;
  }

  /** The last plan. */
  get current(): Plan | null {
    return this.#last?.plan ?? null;
  }

  /** A plan in which every name gets 503. */
  empty(): Plan {
    return this.#make(new Table(), { leftOut: new Map(), portsTaken: new Map() }, false);
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

  #make(table: Table, { leftOut, portsTaken }: Findings, hasTable: boolean): Plan {
    return this.#planner.plan(table, { resolve: this.#resolve, portsTaken, quarantined: leftOut, hasTable });
  }
}
