import { chmod, lstat, mkdir, open, readFile, rm, rmdir, unlink } from "node:fs/promises";
import { join } from "node:path";
import { type Clock, ExitError, exitCodes, fileError, makePrivateFolder, systemErrorCode } from "@datawire/runtime";
import { MAP_NAMES, type MapName } from "../core/model/plan.ts";

/** The names of what stands in a run directory. */
export interface RunDir {
  readonly path: string;
  readonly config: string;
  readonly candidate: string;
  /** The configurations before the current one, the last first. */
  readonly kept: readonly string[];
  readonly rejected: string;
  readonly serverState: string;
  /** Standard error of HAProxy. */
  readonly errors: string;
  readonly accessLog: string;
  /** The pipe in which HAProxy writes what goes there. */
  readonly accessPipe: string;
  /** The pipe in which HAProxy tells latencies. */
  readonly latencies: string;
  /** The pipe in which HAProxy tells of the requests that become spans. */
  readonly spans: string;
  /** What the running HAProxy was configured with. */
  readonly loaded: string;
  readonly mapFolder: string;
  readonly maps: Readonly<Record<MapName | "draw", string>>;
  readonly sockets: Readonly<Record<"runtime" | "master" | "fallback" | "handover" | "stats" | "pages", string>>;
}

/** The folder that one Sherlock has to itself. */
export interface OwnRunDir extends RunDir {
  /** Resolves with true when somebody has removed the folder, or with false when the signal aborts. */
  removed(clock: Pick<Clock, "sleep">, signal: AbortSignal): Promise<boolean>;
  /** Gives the folder back. */
  release(): Promise<void>;
}

/** What a Unix socket's path may have, less what HAProxy appends while it binds. */
const SOCKET_PATH_MAX = 90;
const SAFE_PATH = /^\/[A-Za-z0-9._/@+-]*$/;

/** How long it may go unnoticed that the folder is removed. */
const LOOK_MS = 5_000;

/** Creates the folder and takes it for this process. @throws Error that names who has it. */
export async function openRunDir(path: string): Promise<OwnRunDir> {
  const dir = describeRunDir(path);
  try {
    await makePrivateFolder(path);
    await chmod(path, 0o700);
    await clear(dir.mapFolder, { isFolder: true });
    await mkdir(dir.mapFolder, { recursive: true, mode: 0o700 });
  } catch (cause) {
    if (cause instanceof ExitError) throw cause;
    throw fileError("use as run directory", path, cause);
  }
  const { config, candidate, rejected, serverState, errors, accessLog, loaded, maps } = dir;
  const written = [config, candidate, rejected, serverState, errors, accessLog, loaded, ...Object.values(maps)];
  for (const file of [...written, ...dir.kept]) await clear(file);
  const lock = join(path, "sherlock.pid");
  await takeLock(lock, path);
  return {
    ...dir,
    removed: (clock, signal) => removed([lock, dir.mapFolder], clock, signal),
    release: () => rm(lock, { force: true }),
  };
}

/**
 * The same names without creating or taking anything.
 * @param use what the folder is for, with the flag that names another.
 * @throws ExitError for a path that cannot serve.
 */
export function describeRunDir(path: string, use = "run directory (--run-dir)"): RunDir {
  const refuse = (why: string): never => {
    throw new ExitError(exitCodes.badConfiguration, `Cannot use ${JSON.stringify(path)} as ${use}: ${why}`);
  };
  if (!SAFE_PATH.test(path)) refuse("wanted an absolute path of letters, digits and . _ / @ + -");
  const sockets = {
    runtime: join(path, "runtime.sock"),
    master: join(path, "master.sock"),
    fallback: join(path, "fallback.sock"),
    handover: join(path, "handover.sock"),
    stats: join(path, "stats.sock"),
    pages: join(path, "pages.sock"),
  };
  if (sockets.fallback.length > SOCKET_PATH_MAX) {
    refuse(`the sockets in it would have more than the ${SOCKET_PATH_MAX} characters that a socket's path may have`);
  }
  const mapFolder = join(path, "maps");
  const maps = Object.fromEntries([...MAP_NAMES, "draw"].map((name) => [name, join(mapFolder, `${name}.map`)]));
  return {
    path,
    config: join(path, "haproxy.cfg"),
    candidate: join(path, "haproxy.cfg.candidate"),
    kept: [1, 2, 3].map((age) => join(path, `haproxy.cfg.${age}`)),
    rejected: join(path, "haproxy.cfg.rejected"),
    serverState: join(path, "servers.state"),
    errors: join(path, "haproxy.err"),
    accessLog: join(path, "access.log"),
    accessPipe: join(path, "access.pipe"),
    latencies: join(path, "latencies.pipe"),
    spans: join(path, "spans.pipe"),
    loaded: join(path, "loaded.json"),
    mapFolder,
    maps: maps as RunDir["maps"],
    sockets,
  };
}

/** Looks now and then whether what stays in a folder as long as it is used is there. */
async function removed(paths: readonly string[], clock: Pick<Clock, "sleep">, signal: AbortSignal): Promise<boolean> {
  while (!signal.aborted) {
    await clock.sleep(LOOK_MS, signal);
    const found = await Promise.all(paths.map((path) => lstat(path).catch(systemErrorCode)));
    if (!signal.aborted && found.includes("ENOENT")) return true;
  }
  return false;
}

/**
 * A file with our process id, created only if there is none. One that is left over is known by the process that it
 * names: gone, or (ids are used again) something else than what wrote it.
 */
async function takeLock(lock: string, path: string): Promise<void> {
  for (let attempt = 0; attempt < 3; attempt++) {
    try {
      const file = await open(lock, "wx", 0o600);
      await file.writeFile(`${process.pid} ${await startOf(process.pid)}\n`);
      await file.close();
      return;
    } catch (error) {
      if (systemErrorCode(error) !== "EEXIST") {
        throw fileError("use as run directory", path, error);
      }
    }
    await clear(lock);
    const [pid = "", start = ""] = (await readFile(lock, "utf8").catch(() => "")).trim().split(" ");
    if (pid !== "" && start !== "" && (await startOf(Number(pid))) === start) {
      throw new Error(
        `Cannot use ${path} as run directory: the Sherlock with process id ${pid} has it; stop that one, or give this one another --run-dir`,
      );
    }
    await rm(lock, { force: true });
  }
  throw new Error(`Cannot use ${path} as run directory: another Sherlock is just starting with it`);
}

/**
 * Takes away what stands where a file of ours is to be and is none, such as a pipe, whose opening would wait for ever. A
 * folder is taken away only when there is nothing in it.
 */
async function clear(path: string, { isFolder = false } = {}): Promise<void> {
  const stats = await lstat(path).catch(() => null);
  if (stats === null || (isFolder ? stats.isDirectory() : stats.isFile())) return;
  try {
    await (stats.isDirectory() ? rmdir(path) : unlink(path));
  } catch (cause) {
    throw fileError("use as a file of one's own", path, cause);
  }
}

/** When a process started, in the kernel's ticks since boot (proc(5), field 22); empty when it does not run any more. */
async function startOf(pid: number): Promise<string> {
  const stat = await readFile(`/proc/${pid}/stat`, "utf8").catch(() => "");
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  return fields[0] === "Z" ? "" : (fields[19] ?? "");
}
