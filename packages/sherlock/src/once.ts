import { join } from "node:path";
import { openTableFollower, runLink, type TableFollower } from "@datawire/link";
import { type CommandContext, describeError, exitCodes, type ExitCode, VERSION } from "@datawire/runtime";
import { createConfigFiles } from "./io/config-files.ts";
import { Configurator } from "./io/configurator.ts";
import { Resolver } from "./io/resolver.ts";
import { describeRunDir, openRunDir, type RunDir } from "./io/run-dir.ts";
import { Planning } from "./planning.ts";
import { prepareProxy } from "./proxy.ts";
import type { SherlockSettings } from "./settings.ts";
import { hostsOf } from "./table-hosts.ts";

type Context = Pick<CommandContext<SherlockSettings>, "settings" | "log" | "clock" | "signal">;

/** How long the directory has to send its table, before the last one on disk is used. */
const TABLE_MS_MAX = 3_000;

/** `sherlock render`: prints the configuration, and neither writes nor runs anything. */
export async function renderOnce(context: CommandContext<SherlockSettings>): Promise<void> {
  const { configurator, planning } = await prepare(context, describeRunDir(context.settings.haproxy.runDir));
  const plan = planning.plan({ leftOut: new Map(), portsTaken: new Map() }) ?? planning.empty();
  context.print(configurator.render(plan, "render"));
}

/** `sherlock --once`: writes and validates what HAProxy would be run with. */
export async function writeOnce(context: Context): Promise<ExitCode> {
  const dir = await openRunDir(context.settings.haproxy.runDir);
  try {
    const { configurator, planning, files } = await prepare(context, dir);
    const findings = (leftOut: ReadonlyMap<string, string>) => ({ leftOut, portsTaken: new Map<string, string>() });
    await configurator.prepare((leftOut) => planning.plan(findings(leftOut)) ?? planning.empty(), "once");
    await files.install();
    const refused = [...configurator.leftOut.keys()];
    context.log.info("Configuration written", { file: dir.config, leftOut: refused });
    return refused.length === 0 ? exitCodes.done : exitCodes.failed;
  } finally {
    await dir.release();
  }
}

async function prepare(context: Context, dir: Omit<RunDir, "release">) {
  const { settings, clock, log } = context;
  const proxy = await prepareProxy(settings, dir);
  const follower = await tableOf(context);
  const resolver = new Resolver(
    { path: join(settings.dataDir, "addresses.json"), refreshMs: TABLE_MS_MAX },
    { clock, log, hosts: () => [], onChange: () => {} },
  );
  await resolver.load();
  await resolver.prepare(hostsOf(follower.table, null));
  const files = createConfigFiles(proxy.binary.path, dir);
  const configurator = new Configurator(proxy.settings, { template: proxy.template, files, log });
  const planning = new Planning(settings, { proxy, follower, resolve: resolver.resolve });
  return { configurator, planning, files };
}

/** The table of the directory, or the last one on disk when it does not answer in time. */
async function tableOf({ settings, clock, log, signal }: Context): Promise<TableFollower> {
  const enough = new AbortController();
  const follower = await openTableFollower(
    // The file is the running Sherlock's, which may belong to another user.
    { services: null, path: join(settings.dataDir, "table.json"), leavesFile: true },
    { clock, log, onUpdate: () => enough.abort() },
  );
  const cancel = clock.setTimer(TABLE_MS_MAX, () => enough.abort());
  const until = AbortSignal.any([signal, enough.signal]);
  const identity = { kind: "dw", name: settings.name, id: `render-${process.pid}`, version: VERSION } as const;
  const { replicas, token, tls } = settings;
  try {
    await runLink(
      { replicas, identity, token, tls, subscribe: follower.subscription },
      { clock, log, random: Math.random, handler: follower },
      until,
    );
  } catch (error) {
    log.warn("The directory was not asked", { error: describeError(error) });
  }
  cancel();
  if (follower.status().origin !== "directory") {
    log.warn("The directory does not answer: using the last table on disk", { origin: follower.status().origin });
  }
  return follower;
}
