import { randomUUID } from "node:crypto";
import {
  type CatalogUpdate,
  type LinkHandler,
  type LinkIdentity,
  type LinkSession,
  type Position,
  ProblemTeller,
  ReportPace,
  type Welcome,
} from "@datawire/link";
import { type Clock, type Logger, type ProblemBoard, VERSION, describeError } from "@datawire/runtime";
import { type Attribution, CounterDeltas } from "../core/observe/counters.ts";
import type { PlanProblem } from "../core/model/plan.ts";
import type { Reload } from "../core/transition/waiting.ts";
import type { DriverObserver } from "../driver/driver-types.ts";
import type { BackendNames } from "../haproxy/backend-names.ts";
import type { RuntimeApi } from "../haproxy/runtime-api.ts";
import type { Metrics } from "./metrics.ts";
import { ProxyCounts } from "./proxy-counts.ts";
import type { ProxyFindings } from "./proxy-findings.ts";
import type { Planning } from "../inputs/planning.ts";
import type { Sampling } from "./sampling.ts";

/** What the reports to the directory are made of. */
export interface ReporterDeps {
  readonly settings: { readonly name: string; readonly zone: string | null };
  readonly clock: Clock;
  readonly log: Logger;
  readonly metrics: Metrics;
  readonly planning: Pick<Planning, "current" | "position" | "serverOf">;
  readonly runtime: RuntimeApi;
  /** Null when percentiles are off. */
  readonly sampling: Pick<Sampling, "take" | "oneIn"> | null;
  readonly names: Pick<BackendNames, "own">;
  /** What an operator should see of this Sherlock. */
  readonly board: ProblemBoard;
  /** Takes each look at HAProxy's statistics. */
  readonly findings: Pick<ProxyFindings, "look">;
}

const LOGGED_MAX = 100;
const LINES_MAX = 20_000;
/** So many with full histograms fit into a frame. */
const MESSAGE_LINES_MAX = 500;
/** HAProxy has so long to be counted for the last time. */
const LAST_COUNT_MS_MAX = 500;

/** Tells the directory what HAProxy follows and what it counted, and keeps the metrics. */
export class Reporter implements DriverObserver {
  readonly #deps: ReporterDeps;
  readonly #deltas = new CounterDeltas();
  readonly #proxyCounts: ProxyCounts;
  readonly identity: LinkIdentity;
  #onApplied: () => void = () => {};
  #onWelcome: (welcome: Welcome) => void = () => {};
  #session: LinkSession | null = null;
  #applied: Position | null = null;
  readonly #problems: ProblemTeller;
  /** The oldest change that HAProxy does not follow yet. */
  #oldestChangeMs: number | null = null;
  /** Whether the link has brought what changed before it was there. */
  #caughtUp = false;
  readonly #pace = new ReportPace();
  /** Whether routes have come that HAProxy does not follow yet. */
  #routesCame = false;
  /** Ends the time to the next count. */
  #hurry = new AbortController();
  #countedMs: number;
  /** What HAProxy followed when it was counted last. */
  #countedAt: Position | null = null;
  #counting: Promise<void> = Promise.resolve();
  #loggedProblems = "";

  constructor(deps: ReporterDeps) {
    this.#deps = deps;
    this.#proxyCounts = new ProxyCounts(deps);
    const { name, zone } = deps.settings;
    this.identity = { kind: "sherlock", name, zone, id: randomUUID(), version: VERSION };
    this.#countedMs = deps.clock.monotonicMs();
    this.#problems = new ProblemTeller(deps);
    // A little later, as most of what changes here is told with the next acknowledgement.
    deps.board.onChange(() => this.#problems.tellSoon());
  }

  /** Asks to be told whenever HAProxy follows a table. */
  onApplied(listener: () => void): void {
    this.#onApplied = listener;
  }

  /** Asks to be told what the directory says first, each time that it is reached. */
  onWelcome(listener: (welcome: Welcome) => void): void {
    this.#onWelcome = listener;
  }

  /** A handler for the link that passes everything on to `follower`. */
  handler(follower: LinkHandler): LinkHandler {
    return {
      connected: (session) => {
        this.#session = session;
        this.#caughtUp = false;
        this.#problems.connected(session);
        this.#onWelcome(session.welcome);
        follower.connected(session);
        this.#acknowledge();
        this.#problems.tell();
      },
      disconnected: (reason) => {
        this.#session = null;
        this.#problems.disconnected();
        follower.disconnected(reason);
      },
      message: (message) => follower.message(message),
    };
  }

  noteChange({ atMs, services, routes }: Pick<CatalogUpdate, "atMs" | "services" | "routes">): void {
    this.#routesCame ||= routes;
    // What happened while the link was down: how long that was says nothing of how fast changes are followed. It comes
    // as a whole table, or as the first change.
    if (!this.#caughtUp) this.#caughtUp = atMs !== null || services.size > 0;
    else if (atMs !== null) this.#oldestChangeMs = Math.min(atMs, this.#oldestChangeMs ?? atMs);
  }

  applied(problems: readonly PlanProblem[]): void {
    const { planning, board } = this.#deps;
    board.set("table", problems);
    if (planning.current === null) return;
    // A table from disk that was of a directory's warm-up has no position: there is nobody to acknowledge it to.
    this.#applied = planning.position;
    if (this.#oldestChangeMs !== null) {
      this.#deps.metrics.followed(Math.max(0, this.#deps.clock.nowMs() - this.#oldestChangeMs));
      this.#oldestChangeMs = null;
    }
    this.#logProblems(problems);
    this.#acknowledge();
    if (this.#routesCame) {
      // What was served by the routes before is told apart from what is served by these.
      this.#routesCame = false;
      this.#pace.changed(this.#deps.clock.monotonicMs());
      this.#hurry.abort();
    }
    this.#onApplied();
  }

  reloaded({ reason }: Reload, durationMs: number): void {
    this.#deps.metrics.reloaded(reason, durationMs);
  }

  reloadFailed(): void {
    this.#deps.metrics.reloadFailed();
  }

  struggles(reason: string | null): void {
    const remedy = "the log of Sherlock and `haproxy.err` in its run folder say more; it is tried on";
    const message = `cannot be brought to the table as it is now: ${reason}`;
    this.#deps.board.set("driver", reason === null ? [] : [{ subject: "HAProxy", message, severity: "error", remedy }]);
  }

  commands(count: number): void {
    this.#deps.metrics.commands(count);
  }

  beforeReload(): Promise<void> {
    return this.#count();
  }

  /** Leaves out what an adopted HAProxy has served so far: the Sherlock before has told of it. */
  async skipCounted(): Promise<void> {
    try {
      this.#deltas.take((await this.#proxyCounts.look()) ?? [], () => null);
    } catch (error) {
      this.#deps.log.debug("HAProxy was not counted", { error: describeError(error) });
    }
  }

  /** Counts until the signal aborts. */
  async run(signal: AbortSignal): Promise<void> {
    const { clock } = this.#deps;
    while (!signal.aborted) {
      await clock.sleep(this.#pace.waitMs(clock.monotonicMs()), AbortSignal.any([signal, this.#hurry.signal]));
      this.#hurry = new AbortController();
      await this.#count();
    }
  }

  /** Counts once more before the link ends: what nobody has told of by then, nobody will. */
  async finish(): Promise<void> {
    const enough = new AbortController();
    await Promise.race([this.#count(), this.#deps.clock.sleep(LAST_COUNT_MS_MAX, enough.signal)]);
    enough.abort();
    this.#problems.close();
  }

  /** One after the other: an older answer that came later would be taken for that of a new worker. */
  #count(): Promise<void> {
    this.#counting = this.#counting.then(() => this.#countNow());
    return this.#counting;
  }

  async #countNow(): Promise<void> {
    const { sampling, metrics, planning, findings, clock, log } = this.#deps;
    const nowMs = clock.monotonicMs();
    const followed = this.#applied;
    try {
      const counts = await this.#proxyCounts.look();
      const attribute: Attribution = (backend, server) => planning.serverOf(backend, server);
      const lines = counts === null ? [] : this.#deltas.take(counts, attribute, sampling?.take());
      metrics.traffic(lines, nowMs);
      if (counts !== null) await findings.look(counts);
      const periodMs = Math.max(1, Math.round(nowMs - this.#countedMs));
      const since = this.#countedAt;
      this.#countedMs = nowMs;
      this.#countedAt = followed;
      const sampled = sampling === null || sampling.oneIn === 1 ? {} : { oneIn: sampling.oneIn };
      for (let from = 0; from < Math.min(lines.length, LINES_MAX); from += MESSAGE_LINES_MAX) {
        const counters = lines.slice(from, from + MESSAGE_LINES_MAX);
        this.#session?.send({ type: "counters", periodMs, since, ...sampled, counters });
      }
    } catch (error) {
      log.debug("HAProxy was not counted", { error: describeError(error) });
    }
  }

  #acknowledge(): void {
    if (this.#applied === null || this.#session === null) return;
    const problems = this.#deps.board.list();
    if (this.#session.send({ type: "applied", ...this.#applied, problems })) this.#problems.wasTold(problems);
  }

  #logProblems(problems: readonly PlanProblem[]): void {
    const text = JSON.stringify(problems);
    if (text === this.#loggedProblems) return;
    this.#loggedProblems = text;
    for (const { subject, message } of problems.slice(0, LOGGED_MAX)) {
      this.#deps.log.warn("Not all of the table can be served", { subject, message });
    }
  }
}
