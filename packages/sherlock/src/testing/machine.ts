import { isIpLiteral } from "@datawire/protocol";
import type { Catalog } from "@datawire/catalog";
import { noLog, ProblemBoard, systemClock, type Logger } from "@datawire/runtime";
import type { HaproxyFeatures } from "../core/model/haproxy-version.ts";
import type { PlanProblem } from "../core/model/plan.ts";
import type { Resolve } from "../core/planner/reachable-table.ts";
import type { SessionIds } from "../core/planner/sessions.ts";
import type { Reload } from "../core/transition/waiting.ts";
import { openAccessLog } from "../report/access-log.ts";
import { type DriverObserver, NO_OBSERVER } from "../driver/driver-types.ts";
import { BackendNames } from "../haproxy/backend-names.ts";
import type { HaproxyProcess } from "../haproxy/haproxy-process.ts";
import { openRunDir, type RunDir } from "../haproxy/run-dir.ts";
import type { Planning } from "../inputs/planning.ts";
import { prepareProxy, sparesFor } from "../setup/proxy.ts";
import { loadSherlockSettings, type SherlockSettings } from "../config/settings.ts";
import { assembleDriving } from "../app/driving.ts";
import { SESSION_IDS } from "./session-ids.ts";

/** A Sherlock without its link: a real HAProxy that follows a table which the test holds. */
export interface Machine {
  readonly port: number;
  readonly dir: RunDir;
  /** What it was started with. */
  readonly settings: SherlockSettings;
  /** What the HAProxy that the tests run with can do. */
  readonly features: HaproxyFeatures;
  readonly process: HaproxyProcess;
  readonly planning: Planning;
  readonly names: BackendNames;
  readonly reloads: readonly Reload[];
  readonly problems: readonly PlanProblem[];
  /** Says which services changed, and resolves when HAProxy follows. */
  follow(services: Iterable<string>): Promise<void>;
  /** Of the table: how often something was to be followed. */
  readonly revision: number;
  /** Resolves when no worker from before a reload is left. */
  settled(): Promise<void>;
  /** Stops following; HAProxy goes on. */
  leave(): Promise<void>;
  stop(): Promise<void>;
}

/** What a machine of tests begins with. */
export interface MachineOptions {
  readonly table: Catalog;
  readonly runDir: string;
  readonly port: number;
  readonly settings?: Partial<SherlockSettings>;
  /** The built-in one by default. */
  readonly template?: string;
  /** The authorities that verify instances of `https`; those of the system by default. */
  readonly caFile?: string;
  /** Knows `localhost` alone by default. */
  readonly resolve?: Resolve;
  readonly log?: Logger;
  /** What is not made use of, as with an HAProxy that lacks it. */
  readonly without?: Partial<HaproxyFeatures>;
  readonly sessionIds?: SessionIds;
  /** How many spare backends HAProxy has; as many as the product has by default. */
  readonly spares?: number;
  /** How long nothing has to take one before a reload makes new ones, in milliseconds; longer than any test by default. */
  readonly refillMs?: number;
}

/** Starts a Sherlock without a directory, with a real HAProxy. */
export async function startMachine({
  table,
  runDir,
  port,
  settings: changes,
  template,
  caFile,
  resolve = resolveLocalhost,
  log = noLog,
  without = {},
  sessionIds = SESSION_IDS,
  spares,
  refillMs = 600_000,
}: MachineOptions): Promise<Machine> {
  const loaded = await loadSherlockSettings({
    config: undefined,
    directories: ["//localhost/directory"],
    options: { runDir, listen: `127.0.0.1:${port}`, name: "monolith", admin: "off" },
    args: [],
    env: { PATH: process.env["PATH"] },
  });
  const settings: SherlockSettings = {
    ...loaded,
    haproxy: { ...loaded.haproxy, template: template ?? null, caFile: caFile ?? null },
    ...changes,
  };
  const dir = await openRunDir(runDir);
  const prepared = await prepareProxy(settings, dir);
  const features = { ...prepared.binary.version.features, ...without };
  const proxy = { ...prepared, settings: { ...prepared.settings, features, spares: spares ?? sparesFor(features) } };
  const names = new BackendNames();
  let revision = 0;
  const follower = {
    table,
    leftOut: () => [],
    status: () => ({
      origin: "directory" as const,
      position: { epoch: "test", revision },
      warming: false,
      connected: true,
      divergences: 0,
      ageMs: 0,
    }),
  };
  const { planning, haproxy, driver } = assembleDriving(
    {
      settings,
      dir,
      proxy,
      coalesce: { quietMs: 0, waitMsMax: 0, gapMs: 0 },
      refill: { quietMs: refillMs, waitMsMax: refillMs * 10, gapMs: 0 },
    },
    { clock: systemClock, attentive: systemClock, log, follower, resolve, sessionIds, names },
  );
  const reloads: Reload[] = [];
  let problems: readonly PlanProblem[] = [];
  let waiting: (() => void)[] = [];
  const observer: DriverObserver = {
    ...NO_OBSERVER,
    applied(found) {
      problems = found;
      for (const resolve of waiting) resolve();
      waiting = [];
    },
    reloaded: (reload) => void reloads.push(reload),
  };
  await driver.adopt();
  await driver.start();
  const stop = new AbortController();
  const logs = settings.accessLog ? await openAccessLog({ dir, log, board: new ProblemBoard(), names }) : null;
  const running = Promise.all([driver.run(observer, stop.signal), logs?.run(systemClock, stop.signal)]);
  const follow = async (services: Iterable<string>): Promise<void> => {
    revision++;
    planning.forget(services);
    const followed = new Promise<void>((resolve) => waiting.push(resolve));
    driver.request(services);
    await followed;
  };
  const leave = async (): Promise<void> => {
    stop.abort();
    await running;
    haproxy.leave();
    await dir.release();
  };
  await follow([]);
  return {
    port,
    dir,
    settings,
    features,
    process: haproxy,
    planning,
    names,
    reloads,
    get problems() {
      return problems;
    },
    follow,
    get revision() {
      return revision;
    },
    async settled() {
      while ((await haproxy.oldWorkers.count()) > 0) await systemClock.sleep(5);
    },
    leave,
    async stop() {
      stop.abort();
      await running;
      await haproxy.stop(0);
      await dir.release();
    },
  };
}

const resolveLocalhost: Resolve = (host) =>
  host === "localhost" || isIpLiteral(host)
    ? { state: "known", address: host === "localhost" ? "127.0.0.1" : host }
    : { state: "unknown", reason: `${host} does not resolve` };
