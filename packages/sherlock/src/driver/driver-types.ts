import type { Clock, Logger } from "@datawire/runtime";
import type { PlanProblem } from "../core/model/plan.ts";
import type { PlanSource, ReconcileConfig } from "../core/reconcile/state.ts";
import type { RenderSettings } from "../core/render/template-view.ts";
import type { Reload } from "../core/transition/waiting.ts";
import type { BackendNames } from "../haproxy/backend-names.ts";
import type { ConfigFiles } from "../haproxy/config-files.ts";
import type { HaproxyProcess } from "../haproxy/haproxy-process.ts";
import type { LoadedFile } from "../haproxy/read-running.ts";
import type { RunDir } from "../haproxy/run-dir.ts";
import type { Configurator } from "./configurator.ts";

/** What a driver is run with. */
export interface DriverConfig extends Omit<ReconcileConfig, "listen"> {
  readonly dir: RunDir;
  readonly settings: RenderSettings;
  /** Whether a worker that has been replaced can pass on what still comes to it. */
  readonly handsOver: boolean;
}

/** What a driver works with. */
export interface DriverDeps {
  readonly clock: Clock;
  readonly log: Logger;
  readonly process: HaproxyProcess;
  readonly configurator: Configurator;
  readonly files: ConfigFiles;
  readonly loaded: LoadedFile;
  readonly planning: PlanSource;
  readonly names: BackendNames;
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

/** Tells nobody, as before a driver runs. */
export const NO_OBSERVER: DriverObserver = {
  applied() {},
  reloaded() {},
  reloadFailed() {},
  commands() {},
  struggles() {},
  beforeReload: async () => {},
};
