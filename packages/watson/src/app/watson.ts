import { startAdmin, type StartAdmin } from "@datawire/http";
import { NAME_PATTERN } from "@datawire/protocol";
import { aborted, type DaemonContext, ExitError, exitCodes, isRemote, VERSION } from "@datawire/runtime";
import { heartbeatHandler } from "../checks/heartbeat-handler.ts";
import type { WatsonSettings } from "../config/settings.ts";
import type { LinksConfig } from "../registration/links.ts";
import { assembleWatson, hostOf, stateFilePath, type WatsonParts } from "./assemble.ts";
import { claimState } from "./claim-state.ts";
import { filesConfig } from "./wanted.ts";

/** What a Watson takes from the process around it. */
export interface WatsonSurroundings {
  readonly openAdmin: StartAdmin;
}

/** How long the first registration waits for the first checks; well within a lease. */
const FIRST_CHECKS_MS_MAX = 2_000;

/**
 * Checks and registers until the signal aborts, then announces the drain, waits for it and withdraws. After SIGUSR1 it
 * leaves without withdrawing anything: its instances stay in use until the next Watson comes, or their lease ends.
 * @throws Error where another Watson has its state file.
 */
export async function runWatson(
  context: DaemonContext<WatsonSettings>,
  surroundings: WatsonSurroundings = { openAdmin: startAdmin },
): Promise<void> {
  const { settings } = context;
  // Of a single service a second Watson has nothing that the first one wrote to lose, and its directory refuses it.
  const release = settings.single === null ? await claimState(stateFilePath(settings)) : async () => {};
  await serve(context, surroundings).finally(release);
}

async function serve(context: DaemonContext<WatsonSettings>, { openAdmin }: WatsonSurroundings): Promise<void> {
  const { settings, log, clock, signal, readiness } = context;
  const parts = await assembleWatson(context);
  const { host, state, monitor, definitions, files, links, metrics } = parts;

  const first = readiness.add("checks", "the first checks are under way");
  const registered = readiness.add("directory", "not connected yet");
  const checkReadiness = (): void => {
    const missing = links.missing();
    if (missing === null) registered.ready();
    else registered.notReady(missing);
  };
  links.observe({
    confirmed: checkReadiness,
    stateChanged() {
      checkReadiness();
      // A Watson that every directory refuses has nothing to do: it ends with that reason.
      if (links.denial() !== null) context.stop();
    },
  });

  const stopAdmin = new AbortController();
  const admin =
    settings.admin &&
    (await openAdmin(
      { listen: settings.admin, setting: "admin" },
      { readiness, registry: metrics.registry, log, handlers: [heartbeatHandler(monitor)] },
      stopAdmin.signal,
    ));

  const leaving = new AbortController();
  context.onUserSignal(() => {
    leaving.abort();
    context.stop();
  });
  const noteRemote = async ({ directories }: WatsonSettings): Promise<void> => {
    const remote = await Promise.all(
      directories.map(async (replicas) => ((await isRemote(replicas[0])) ? [replicas] : [])),
    );
    definitions.setRemote(remote.flat());
  };
  const linksConfig = ({ directories, token, tls }: WatsonSettings): LinksConfig => ({
    directories,
    token,
    tls,
    identity: { kind: "watson", name: nameOf(host), id: state.id, version: VERSION },
  });
  context.onReload(async (next) => {
    await noteRemote(next);
    if (next.single === null) await files.reload(filesConfig(next, await hostOf(next)));
    await links.reconcile(linksConfig(next));
  });

  let wasReady = false;
  readiness.onChange((ready) => {
    if (!ready || wasReady) return;
    wasReady = true;
    const where = admin === null ? {} : { address: admin.address.host, port: admin.address.port };
    log.info("Watson is ready", { ...where, host, instances: [...monitor.instances()].length });
  });
  await noteRemote(settings);
  if (settings.single === null) await files.start();
  else definitions.take([{ file: "command line", instances: [settings.single], problems: [] }]);
  const linked = links.reconcile(linksConfig(settings));
  readiness.seal();
  await monitor.decided(FIRST_CHECKS_MS_MAX, signal);
  first.ready();
  links.open();

  await aborted(signal);
  const denial = links.denial();
  await linked;
  await files.stop();
  if (leaving.signal.aborted) monitor.stop();
  else await drain(parts, { clock, log });
  stopAdmin.abort();
  await Promise.all([links.stop(), admin?.closed, state.flush()]);
  if (denial !== null) throw new ExitError(exitCodes.notAllowed, `Cannot register: ${denial}`);
}

/** Announces all instances as draining, waits as long as their drain times say, and withdraws them. */
async function drain(
  { monitor, links, state }: WatsonParts,
  { clock, log }: Pick<DaemonContext<WatsonSettings>, "clock" | "log">,
): Promise<void> {
  const drainMs = monitor.drain();
  const told = [...links.registrars()].some(({ isConnected }) => isConnected);
  if (told && drainMs > 0) {
    log.info("Draining", { drainMs });
    await clock.sleep(drainMs);
  }
  for (const registrar of links.registrars()) registrar.withdraw();
  // What is started after a clean leave has to be looked at before it is announced.
  state.rememberLive(() => []);
}

/** A host as the name of a Watson: IPv6 addresses have characters that names may not have. */
function nameOf(host: string): string {
  const name = host.replaceAll(/[^a-z0-9._-]/g, "-").replaceAll(/^[^a-z0-9_]+|[^a-z0-9_]+$/g, "");
  return NAME_PATTERN.test(name) ? name : "watson";
}
