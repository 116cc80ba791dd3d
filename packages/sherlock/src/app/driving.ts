import type { CatalogFollower } from "@datawire/link";
import type { Clock, Logger } from "@datawire/runtime";
import type { SherlockSettings } from "../config/settings.ts";
import type { Resolve } from "../core/planner/reachable-table.ts";
import type { SessionIds } from "../core/planner/sessions.ts";
import type { CoalesceLimits } from "../core/reconcile/coalesce.ts";
import { Configurator } from "../driver/configurator.ts";
import { Driver } from "../driver/driver.ts";
import type { BackendNames } from "../haproxy/backend-names.ts";
import { createConfigFiles } from "../haproxy/config-files.ts";
import { HaproxyProcess } from "../haproxy/haproxy-process.ts";
import { createLoadedFile } from "../haproxy/read-running.ts";
import type { RunDir } from "../haproxy/run-dir.ts";
import { Planning } from "../inputs/planning.ts";
import { abilitiesOf, hasSpares, tellsReasons, type Proxy } from "../setup/proxy.ts";

/** What is driven, and how. */
export interface DrivingConfig {
  readonly settings: SherlockSettings;
  readonly dir: RunDir;
  readonly proxy: Proxy;
  readonly coalesce: CoalesceLimits;
  readonly refill: CoalesceLimits;
}

/** What plans are made of, and the means of a process. */
export interface DrivingDeps {
  readonly clock: Clock;
  /** Counts time in which this process attended to what came: HAProxy's silence is judged by it. */
  readonly attentive: Clock;
  readonly log: Logger;
  readonly names: BackendNames;
  readonly follower: Pick<CatalogFollower, "table" | "status" | "leftOut">;
  readonly resolve: Resolve;
  readonly sessionIds: SessionIds;
}

/** What makes an HAProxy follow a table. */
export interface Driving {
  readonly planning: Planning;
  readonly haproxy: HaproxyProcess;
  readonly driver: Driver;
  /** The configuration of no table, which shows what the template leaves out. */
  readonly rendered: string;
}

/** Puts together what makes an HAProxy follow a table. */
export function assembleDriving(
  { settings: own, dir, proxy, coalesce, refill }: DrivingConfig,
  deps: DrivingDeps,
): Driving {
  const { clock, attentive, log, names, follower, resolve, sessionIds } = deps;
  const planning = new Planning(own, { proxy, follower, resolve, sessionIds });
  const files = createConfigFiles(proxy.binary.path, dir);
  const { template } = proxy;
  const rendered = new Configurator(proxy.settings, { template, files }).render(planning.empty(), "check");
  const abilities = abilitiesOf(proxy, rendered);
  const spares = abilities.runtimeCommands && hasSpares(proxy, rendered) ? proxy.settings.spares : 0;
  const settings = { ...proxy.settings, spares };
  const configurator = new Configurator(settings, { template, files });
  if (!tellsReasons(proxy, rendered)) planning.explainNothing();
  const haproxy = new HaproxyProcess(
    { command: proxy.binary.path, dir, runtimeSocket: abilities.runtimeCommands },
    { clock: attentive, log },
  );
  const { dynamicServers } = settings.features;
  const driver = new Driver(
    { dir, settings, shared: proxy.shared, dynamicServers, ...abilities, coalesce, spares, refill },
    { clock, log, process: haproxy, configurator, files, loaded: createLoadedFile(dir.loaded), planning, names },
  );
  return { planning, haproxy, driver, rendered };
}
