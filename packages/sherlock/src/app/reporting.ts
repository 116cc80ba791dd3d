import type { CatalogFollower } from "@datawire/link";
import type { Clock, Logger, ProblemBoard } from "@datawire/runtime";
import type { SherlockSettings } from "../config/settings.ts";
import type { BackendNames } from "../haproxy/backend-names.ts";
import { createMetrics, type Metrics } from "../report/metrics.ts";
import { ProxyFindings } from "../report/proxy-findings.ts";
import { Reporter } from "../report/reporter.ts";
import type { Sampling } from "../report/sampling.ts";
import type { Proxy } from "../setup/proxy.ts";
import { findTlsFailure } from "../setup/tls-failure.ts";
import type { Driving } from "./driving.ts";

/** What is reported on, and to whom. */
export interface ReportingDeps extends Pick<Driving, "planning" | "haproxy"> {
  readonly settings: SherlockSettings;
  readonly proxy: Proxy;
  readonly follower: Pick<CatalogFollower, "table" | "status">;
  readonly names: BackendNames;
  readonly sampling: Sampling | null;
  readonly clock: Clock;
  readonly log: Logger;
  readonly board: ProblemBoard;
  /** Told of a host at whose address nothing can be reached: its name may have another one by now. */
  readonly onUnreachable: (host: string) => void;
}

/** What tells operators and the directory how HAProxy fares. */
export interface Reporting {
  readonly metrics: Metrics;
  readonly findings: ProxyFindings;
  readonly reporter: Reporter;
}

/** Puts together what tells operators and the directory how HAProxy fares. */
export function assembleReporting(deps: ReportingDeps): Reporting {
  const { settings, proxy, follower, planning, haproxy, names, sampling, clock, log, board, onUnreachable } = deps;
  const { runtime } = haproxy;
  const metrics = createMetrics({
    revision: () => planning.position?.revision ?? 0,
    tableAgeMs: () => follower.status().ageMs ?? 0,
    tableDivergences: () => follower.status().divergences,
    oldWorkers: () => haproxy.oldWorkers.count(),
    services: () => follower.table.size.services,
    isPresent: (service, instance) => follower.table.instance(`${service}@${instance}`) !== null,
  });
  const findings = new ProxyFindings({
    clock,
    log,
    runtime,
    planning,
    names,
    board,
    onUnreachable,
    findTlsFailure: (target) => findTlsFailure(target, proxy.settings.caFile),
  });
  const reporter = new Reporter({
    settings,
    clock,
    log,
    metrics,
    planning,
    runtime,
    sampling,
    names,
    board,
    findings,
  });
  return { metrics, findings, reporter };
}
