import type { CatalogFollower } from "@datawire/link";
import type { Clock, Logger } from "@datawire/runtime";
import type { SherlockSettings } from "../config/settings.ts";
import type { Resolve } from "../core/planner/reachable-table.ts";
import type { SessionIds } from "../core/planner/sessions.ts";
import type { CoalesceLimits } from "../core/reconcile/coalesce.ts";
import { Configurator } from "../driver/configurator.ts";
import { Driver } from "../driver/driver.ts";
import { createConfigFiles } from "../haproxy/config-files.ts";
import { HaproxyProcess } from "../haproxy/haproxy-process.ts";
import { createLoadedFile } from "../haproxy/read-running.ts";
import type { RunDir } from "../haproxy/run-dir.ts";
import { Planning } from "../inputs/planning.ts";
import { abilitiesOf, tellsReasons, type Proxy } from "../setup/proxy.ts";

/** What is driven, and how. */
export interface DrivingConfig {
  readonly settings: SherlockSettings;
  readonly dir: RunDir;
  readonly proxy: Proxy;
  readonly coalesce: CoalesceLimits;
}

/** What plans are made of, and the means of a process. */
export interface DrivingDeps {
  readonly clock: Clock;
  /** Counts time in which this process attended to what came: HAProxy's silence is judged by it. */
  readonly attentive: Clock;
  readonly log: Logger;
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
export function assembleDriving({ settings, dir, proxy, coalesce }: DrivingConfig, deps: DrivingDeps): Driving {
  const { clock, attentive, log, follower, resolve, sessionIds } = deps;
  const planning = new Planning(settings, { proxy, follower, resolve, sessionIds });
  const files = createConfigFiles(proxy.binary.path, dir);
  const configurator = new Configurator(proxy.settings, { template: proxy.template, files });
  const rendered = configurator.render(planning.empty(), "check");
  const abilities = abilitiesOf(proxy, rendered);
  if (!tellsReasons(proxy, rendered)) planning.explainNothing();
  const haproxy = new HaproxyProcess(
    { command: proxy.binary.path, dir, runtimeSocket: abilities.runtimeCommands },
    { clock: attentive, log },
  );
  const { dynamicServers } = proxy.settings.features;
  const driver = new Driver(
    { dir, settings: proxy.settings, shared: proxy.shared, dynamicServers, ...abilities, coalesce },
    { clock, log, process: haproxy, configurator, files, loaded: createLoadedFile(dir.loaded), planning },
  );
  return { planning, haproxy, driver, rendered };
}
