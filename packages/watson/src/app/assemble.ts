import { fingerprintOf } from "@datawire/link/client";
import { join } from "node:path";
import { type DaemonContext, RecentProblems } from "@datawire/runtime";
import { createEarlyFailureProbes } from "../checks/early-failure-probe.ts";
import type { WatsonSettings } from "../config/settings.ts";
import { ServiceFiles } from "../files/service-files.ts";
import { createAuthorities } from "../machine/authorities.ts";
import { findHost } from "../machine/find-host.ts";
import { ListeningPorts } from "../machine/listening-ports.ts";
import { createLookup } from "../machine/lookup.ts";
import { PortWatch } from "../machine/port-watch.ts";
import { createTrafficLookup } from "../machine/traffic-lookup.ts";
import { Links } from "../registration/links.ts";
import { MonitorRunner } from "./monitor-runner.ts";
import { Definitions } from "./definitions.ts";
import { createMetrics, type WatsonMetrics } from "./metrics.ts";
import { StateFile } from "./state-file.ts";
import { filesConfig } from "./wanted.ts";

/** What a Watson is made of. */
export interface WatsonParts {
  /** How others reach this machine, as long as the settings are not read again. */
  readonly host: string;
  readonly state: StateFile;
  readonly monitor: MonitorRunner;
  readonly definitions: Definitions;
  readonly files: ServiceFiles;
  readonly links: Links;
  readonly metrics: WatsonMetrics;
}

/**
 * Makes the parts of a Watson, each from those before it, and then connects them. Only the state file and the address
 * of this machine are read; checks, service files and links begin later.
 * @throws UntrustedFolder where somebody else could have written the state file.
 */
export async function assembleWatson({
  settings,
  log,
  clock,
  attentive,
  board,
  signal,
}: DaemonContext<WatsonSettings>): Promise<WatsonParts> {
  const recent = new RecentProblems("recent", { board, clock, signal });
  const state = await StateFile.open(stateFilePath(settings), { clock, log, board, recent });
  const host = await hostOf(settings);
  const lookup = createLookup({ clock });
  const ports = new PortWatch({ clock, read: new ListeningPorts().read });

  const monitor = new MonitorRunner({
    clock,
    patience: attentive,
    log,
    board,
    probers: {
      lookup,
      trafficLookup: createTrafficLookup(lookup),
      secureContext: createAuthorities(settings.tls?.ca ?? null, { clock }),
      fingerprint: fingerprintOf(settings.token),
      env: settings.env,
    },
    earlyFailureProbes: createEarlyFailureProbes({ clock, lookup, ports }),
    wasLive: (instance) => state.wasLive(instance),
  });
  const definitions = new Definitions({ log, board, apply: (wanted) => monitor.apply(wanted) });
  const files = new ServiceFiles(filesConfig(settings, host), {
    clock,
    log,
    board,
    onChange: (all) => definitions.take(all),
  });
  const announcements = (): ReturnType<MonitorRunner["announcements"]> => monitor.announcements();
  const links = new Links({ clock, log, board, random: Math.random, announcements, drains: state });
  const metrics = createMetrics({
    instances: () => monitor.instances(),
    directories: () => links.registrars(),
    fileProblems: () => definitions.problems.length,
  });

  monitor.observe(metrics);
  monitor.observe({
    healthChanged: () => state.rememberLive(() => monitor.live()),
    announcementsChanged: () => links.changed(),
  });
  board.onChange(() => links.changed());
  return { host, state, monitor, definitions, files, links, metrics };
}

/**
 * The host under which others reach this machine: from the settings, or the address that it uses towards the first
 * directory.
 */
export function hostOf({ host, directories }: WatsonSettings): Promise<string> {
  return findHost(host, directories[0]?.[0] ?? NOWHERE);
}

const NOWHERE = { host: "localhost", port: 0, tls: null };

/** Where a Watson keeps what it has to know again after a restart. */
export function stateFilePath({ dataDir, single }: Pick<WatsonSettings, "dataDir" | "single">): string {
  return single === null ? join(dataDir, "watson.json") : join(dataDir, "single", `${single.key}.json`);
}
