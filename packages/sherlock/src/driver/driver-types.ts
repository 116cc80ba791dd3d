import type { Clock, Logger } from "@datawire/runtime";
import type { CoalesceLimits } from "../core/reconcile/coalesce.ts";
import type { Plan, PlanProblem } from "../core/model/plan.ts";
import type { Exclusions, Held } from "../core/planner/planner.ts";
import type { RenderSettings } from "../core/render/render.ts";
import type { Reload } from "../core/transition/waiting.ts";
import type { ConfigFiles } from "../haproxy/config-files.ts";
import type { Configurator } from "./configurator.ts";
import type { HaproxyProcess } from "../haproxy/haproxy-process.ts";
import type { LoadedFile } from "../haproxy/read-running.ts";
import type { RunDir } from "../haproxy/run-dir.ts";

export interface DriverConfig {
  readonly dir: Omit<RunDir, "release">;
  readonly settings: RenderSettings;
  /** What `LoadedStructure.shared` has to be: changes when the template or a setting does. */
  readonly shared: string;
  readonly dynamicServers: boolean;
  /** False when only a reload can change anything: the template has no runtime socket. */
  readonly runtimeCommands: boolean;
  /** Whether a worker that has been replaced can pass on what still comes to it. */
  readonly handsOver: boolean;
  readonly coalesce: CoalesceLimits;
}

export interface DriverDeps {
  readonly clock: Clock;
  readonly log: Logger;
  readonly process: HaproxyProcess;
  readonly configurator: Configurator;
  readonly files: ConfigFiles;
  readonly loaded: LoadedFile;
  /** Makes the plan of now; null while there is no table. */
  readonly makePlan: (exclusions: Exclusions) => Plan | null;
  /** Makes the plan that holds while services wait for a reload, those as they were in these views. */
  readonly makeInterim: (exclusions: Exclusions, held: Held) => Plan;
  /** Makes the plan of no table, in which every name gets 503. */
  readonly emptyPlan: () => Plan;
  readonly observer: DriverObserver;
}

/** Told of what happens; for acknowledgements and metrics. */
export interface DriverObserver {
  /** HAProxy follows the plan that was last asked for. */
  applied(problems: readonly PlanProblem[]): void;
  reloaded(reload: Reload, durationMs: number): void;
  reloadFailed(reason: string): void;
  commands(count: number): void;
  /** HAProxy could not be brought to the plan, several times by now; null once it could. */
  struggles(reason: string | null): void;
  /** Before the counters of a worker start anew. */
  beforeReload(): Promise<void>;
}
