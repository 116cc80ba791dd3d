import { join } from "node:path";
import { NAME_PATTERN } from "@datawire/protocol";
import { startAdmin } from "@datawire/http";
import {
  aborted,
  type DaemonContext,
  ExitError,
  exitCodes,
  isRemote,
  RecentProblems,
  VERSION,
} from "@datawire/runtime";
import { Agent } from "./agent.ts";
import type { WatsonSettings } from "../config/settings.ts";
import { directoryName, type Replicas } from "../model/directories.ts";
import { heartbeatHandler } from "../checks/heartbeat-handler.ts";
import { Definitions } from "./definitions.ts";
import { createAuthorities } from "../machine/authorities.ts";
import { findHost } from "../machine/find-host.ts";
import { readListeningPorts } from "../machine/listening-ports.ts";
import { createLookup } from "../machine/lookup.ts";
import { StateFile } from "./state-file.ts";
import { PortWatch } from "../machine/port-watch.ts";
import { ServiceFiles } from "../files/service-files.ts";
import { createTrafficLookup } from "../machine/traffic-lookup.ts";
import { createEarlyFailureProbes } from "../checks/early-failure-probe.ts";
import { Links, type LinksConfig } from "../registration/links.ts";
import { createMetrics } from "./metrics.ts";
import { Registrar } from "../registration/registrar.ts";
import { filesConfig } from "./wanted.ts";

/** How long the first statement to a directory waits for the first checks; well within a lease. */
const FIRST_CHECKS_MS_MAX = 2_000;

/**
 * Checks and registers until the signal aborts, then announces the drain, waits for it and withdraws. After SIGUSR1 it
 * leaves without a word instead: its instances stay in use until the next Watson comes, or their lease ends.
 */
export async function runWatson(context: DaemonContext<WatsonSettings>): Promise<void> {
  const { settings, log, clock, attentive, board, signal, readiness } = context;
  const recent = new RecentProblems("recent", { board, clock, signal });
  const state = await StateFile.open(stateFilePath(settings), { clock, log, board, recent });
  const host = await findHost(settings.host, settings.directories[0]?.[0] ?? NOWHERE);
  const lookup = createLookup({ clock });
  const ports = new PortWatch({ clock, read: readListeningPorts });

  board.onChange(() => links.changed());
  const links: Links = new Links({ clock, log, board, random: Math.random, createRegistrar, onState: linkChanged });
  const agent = new Agent({
    clock,
    patience: attentive,
    log,
    board,
    probers: {
      lookup,
      trafficLookup: createTrafficLookup(lookup),
      secureContext: createAuthorities(settings.tls?.ca ?? null, { clock }),
      env: settings.env,
    },
    earlyFailureProbes: createEarlyFailureProbes({ clock, lookup, ports }),
    wasLive: (instance) => state.wasLive(instance),
    onChange: () => links.changed(),
    onChecked: (outcome) => metrics.checked(outcome),
    onHealth(instance, health) {
      metrics.changed(instance, health);
      state.rememberLive(liveInstances);
    },
  });
  const definitions = new Definitions({ log, board, apply: (wanted) => agent.apply(wanted) });
  const metrics = createMetrics({
    instances: () => agent.instances(),
    directories: () => links.registrars(),
    fileProblems: () => definitions.problems.length,
  });
  const files = new ServiceFiles(filesConfig(settings, host), {
    clock,
    log,
    board,
    onChange: (all) => definitions.take(all),
  });

  function createRegistrar(replicas: Replicas): Registrar {
    const name = directoryName(replicas);
    return new Registrar(replicas, state.drained(name), {
      clock,
      log,
      announcements: () => agent.announcements(),
      board,
      onDrained: (keys) => state.rememberDrained(name, keys),
      onConfirmed: () => checkReadiness(),
    });
  }
  function* liveInstances() {
    for (const { instance, health } of agent.instances()) if (health.state === "live") yield instance;
  }
  const first = readiness.add("checks", "the first checks are under way");
  const registered = readiness.add("directory", "not connected yet");
  /** A Watson that nobody takes has nothing to do; whoever started it wants to know. */
  function linkChanged(): void {
    checkReadiness();
    if (links.denial() !== null) context.stop();
  }
  function checkReadiness(): void {
    const missing = links.missing();
    if (missing === null) registered.ready();
    else registered.notReady(missing);
  }

  const stopAdmin = new AbortController();
  const admin =
    settings.admin &&
    (await startAdmin(
      { listen: settings.admin, setting: "admin" },
      {
        readiness,
        registry: metrics.registry,
        log,
        handlers: [heartbeatHandler({ find: findKeys, beat: (key) => agent.beat(key) })],
      },
      stopAdmin.signal,
    ));
  function findKeys(name: string): string[] {
    const found = [...agent.instances()].map(({ instance }) => instance);
    return found.filter((instance) => instance.name === name || instance.key === name).map(({ key }) => key);
  }

  const leaving = new AbortController();
  context.onUserSignal(() => {
    leaving.abort();
    context.stop();
  });
  context.onReload(async (next) => {
    await noteRemote(next);
    if (next.single === null)
      await files.reload(filesConfig(next, await findHost(next.host, next.directories[0]?.[0] ?? NOWHERE)));
    await links.reconcile(linksConfig(next));
  });
  async function noteRemote({ directories }: WatsonSettings): Promise<void> {
    const remote = await Promise.all(
      directories.map(async (replicas) => ((await isRemote(replicas[0])) ? [replicas] : [])),
    );
    definitions.setRemote(remote.flat());
  }
  const linksConfig = ({ directories, token, tls }: WatsonSettings): LinksConfig => ({
    directories,
    token,
    tls,
    identity: { kind: "watson", name: nameOf(host), id: state.id, version: VERSION },
  });

  let wasReady = false;
  readiness.onChange((ready) => {
    if (!ready || wasReady) return;
    wasReady = true;
    const where = admin === null ? {} : { address: admin.address.host, port: admin.address.port };
    log.info("Watson is ready", { ...where, host, instances: [...agent.instances()].length });
  });
  await noteRemote(settings);
  if (settings.single === null) await files.start();
  else definitions.take([{ file: "command line", instances: [settings.single], problems: [] }]);
  const linked = links.reconcile(linksConfig(settings));
  readiness.seal();
  await agent.decided(FIRST_CHECKS_MS_MAX, signal);
  first.ready();
  links.open();

  await aborted(signal);
  const denial = links.denial();
  await linked;
  await files.stop();
  if (leaving.signal.aborted) agent.stop();
  else await drain();
  stopAdmin.abort();
  await Promise.all([links.stop(), admin?.closed, state.flush()]);
  if (denial !== null) throw new ExitError(exitCodes.notAllowed, `Cannot register: ${denial}`);

  async function drain(): Promise<void> {
    const drainMs = agent.drain();
    const told = [...links.registrars()].some(({ isConnected }) => isConnected);
    if (told && drainMs > 0) {
      log.info("Draining", { drainMs });
      await clock.sleep(drainMs);
    }
    for (const registrar of links.registrars()) registrar.withdraw();
    // What is started after a clean leave has to be looked at before it is announced.
    state.rememberLive(() => []);
  }
}

const NOWHERE = { host: "localhost", port: 0, tls: null };

function stateFilePath({ dataDir, single }: WatsonSettings): string {
  return single === null ? join(dataDir, "watson.json") : join(dataDir, "single", `${single.key}.json`);
}

/** A host as a Watson's name: IPv6 addresses have characters that names have not. */
function nameOf(host: string): string {
  const name = host.replaceAll(/[^a-z0-9._-]/g, "-").replaceAll(/^[^a-z0-9_]+|[^a-z0-9_]+$/g, "");
  return NAME_PATTERN.test(name) ? name : "watson";
}
