import { copyFile, mkdir, rename } from "node:fs/promises";
import { join, resolve } from "node:path";
import { type LinkState, openCatalogFollower, runLink, type CatalogFollower } from "@datawire/link";
import { formatDuration } from "@datawire/protocol";
import {
  type CommandContext,
  describeError,
  ExitError,
  exitCodes,
  fileError,
  type ExitCode,
  type Logger,
  noLog,
  VERSION,
} from "@datawire/runtime";
import { createConfigFiles } from "../haproxy/config-files.ts";
import { Configurator } from "../driver/configurator.ts";
import { type MakePlan, prepareFiles } from "../driver/prepare-files.ts";
import type { Quarantine } from "../core/reconcile/quarantine.ts";
import { Resolver } from "../inputs/resolver.ts";
import { SESSION_KEYS_FILE, SessionKeys } from "../inputs/session-keys.ts";
import { describeRunDir, openRunDir, type RunDir } from "../haproxy/run-dir.ts";
import { Locality } from "../inputs/locality.ts";
import { clearServerState } from "../haproxy/server-state.ts";
import { Planning } from "../inputs/planning.ts";
import { prepareProxy } from "../setup/proxy.ts";
import type { SherlockSettings } from "../config/settings.ts";
import { hostsOf } from "../inputs/table-hosts.ts";

type Context = Pick<CommandContext<SherlockSettings>, "settings" | "log" | "clock" | "signal">;

/** How long the directory has to send its table, before the last one on disk is used. */
const TABLE_MS_MAX = 3_000;
const NO_TABLE = "Without a table, every service gets 503";

/** `sherlock render`: prints the configuration, or writes it with all that it names; runs nothing. */
export async function renderOnce(context: CommandContext<SherlockSettings>): Promise<ExitCode | void> {
  const output = context.input.options["output"] as string | undefined;
  if (output !== undefined) return renderInto(resolve(output), context);
  const { configurator, planning, follower } = await prepare(context, describeRunDir(context.settings.haproxy.runDir));
  if (follower.status().origin === "none") context.log.warn(NO_TABLE);
  context.print(configurator.render(planOf(planning)(new Map(), new Set()), "render"));
}

/** A folder that HAProxy accepts as it stands: what a running Sherlock keeps elsewhere is copied into it. */
async function renderInto(folder: string, context: CommandContext<SherlockSettings>): Promise<ExitCode> {
  const { settings, log } = context;
  const dir = describeRunDir(folder, "output folder (--output)");
  const { caFile: from } = settings.haproxy;
  const caFile = from === null ? null : join(folder, "ca.pem");
  try {
    await mkdir(dir.mapFolder, { recursive: true });
    await clearServerState(dir.serverState);
    if (from !== null && caFile !== null) await copyFile(from, caFile);
  } catch (cause) {
    throw fileError("write", `${folder} (--output)`, cause);
  }
  const own = { ...settings, haproxy: { ...settings.haproxy, caFile } };
  const { configurator, planning, follower } = await prepare({ ...context, settings: own }, dir);
  if (follower.status().origin === "none") log.warn(NO_TABLE);
  const { quarantine } = await prepareFiles(configurator, { makePlan: planOf(planning), configVersion: "render", log });
  await rename(dir.candidate, dir.config);
  return written(quarantine, { log, file: dir.config });
}

/**
 * `sherlock --once`: writes and validates what HAProxy would be run with.
 * @throws ExitError where no table is to be had: what was written before is better than a configuration without services.
 */
export async function writeOnce(context: Context): Promise<ExitCode> {
  const dir = await openRunDir(context.settings.haproxy.runDir);
  try {
    const { configurator, planning, files, follower, failure } = await prepare(context, dir);
    if (failure !== null && follower.status().origin === "none") throw noTable(failure, context.settings);
    const { log } = context;
    const { quarantine } = await prepareFiles(configurator, { makePlan: planOf(planning), configVersion: "once", log });
    await files.install();
    return written(quarantine, { log, file: dir.config });
  } finally {
    await dir.release();
  }
}

function planOf(planning: Planning): MakePlan {
  return (quarantined) => planning.plan({ quarantined, kept: new Map(), portsTaken: new Map() }) ?? planning.empty();
}

function written({ reasons }: Quarantine, { log, file }: { readonly log: Logger; readonly file: string }): ExitCode {
  log.info("Configuration written", { file, leftOut: [...reasons.keys()] });
  return reasons.size === 0 ? exitCodes.done : exitCodes.failed;
}

async function prepare(context: Context, dir: RunDir) {
  const { settings, clock, log } = context;
  const proxy = await prepareProxy(settings, dir);
  const { follower, failure } = await askTable(context);
  const locality = new Locality(settings);
  await locality.look();
  const resolver = new Resolver(
    { path: join(settings.dataDir, "addresses.json"), refreshMs: TABLE_MS_MAX },
    { clock, log, hosts: () => [], refusal: locality.refusal },
  );
  await resolver.load();
  await resolver.prepare(hostsOf(follower.table, null));
  const files = createConfigFiles(proxy.binary.path, dir);
  const configurator = new Configurator(proxy.settings, { template: proxy.template, files });
  // They belong to the running Sherlock: this one only shows what it would do with them.
  const sessionIds = new SessionKeys(null, { log });
  await sessionIds.load(join(settings.dataDir, SESSION_KEYS_FILE));
  const planning = new Planning(settings, { proxy, follower, resolve: resolver.resolve, sessionIds });
  return { configurator, planning, files, follower, failure };
}

/** Why the directory has not sent its table. */
interface Failure {
  readonly reason: string;
  /** For want of a token, or of a right. */
  readonly denied: boolean;
}

interface Asked {
  readonly follower: CatalogFollower;
  readonly failure: Failure | null;
}

/** The table of the directory, or the last one on disk when it does not answer in time, or not at all. */
async function askTable({ settings, clock, log, signal }: Context): Promise<Asked> {
  const enough = new AbortController();
  const follower = await openCatalogFollower(
    // The file is the running Sherlock's, which may belong to another user.
    { services: null, path: tablePath(settings), leavesFile: true },
    { clock, log, onUpdate: () => enough.abort() },
  );
  let failure: Failure = { reason: `it has not sent its table within ${formatDuration(TABLE_MS_MAX)}`, denied: false };
  const onState = (state: LinkState): void => {
    if (state.state !== "waiting") return;
    failure = state;
    if (state.refused || state.denied) enough.abort(); // it will not think better of it
  };
  const cancel = clock.setTimer(TABLE_MS_MAX, () => enough.abort());
  const until = AbortSignal.any([signal, enough.signal]);
  const identity = { kind: "dw", name: settings.name, id: `render-${process.pid}`, version: VERSION } as const;
  const { replicas, token, tls } = settings;
  try {
    await runLink(
      { replicas, identity, token, tls, subscribe: follower.subscription },
      { clock, log: noLog, random: Math.random, handler: follower, onState },
      until,
    );
  } catch (error) {
    failure = { reason: describeError(error), denied: false };
  }
  cancel();
  const { origin, ageMs } = follower.status();
  if (origin === "directory") return { follower, failure: null };
  const age = ageMs === null ? {} : { ageSeconds: Math.round(ageMs / 1_000) };
  log.warn("No table has come, using the one that is kept, if any", { reason: failure.reason, origin, ...age });
  return { follower, failure };
}

function tablePath({ dataDir }: SherlockSettings): string {
  return join(dataDir, "table.json");
}

function noTable({ reason, denied }: Failure, settings: SherlockSettings): ExitError {
  return new ExitError(
    denied ? exitCodes.notAllowed : exitCodes.unreachable,
    `Cannot write HAProxy's configuration: no table has come (${reason}), and none is kept in ${tablePath(settings)}; what was written before is left as it was`,
  );
}
