import { type FSWatcher, watch } from "node:fs";
import { join } from "node:path";
import { isDeepStrictEqual } from "node:util";
import { type Clock, describeError, type Logger, type Problem, type ProblemBoard } from "@datawire/runtime";
import type { ServicesRead } from "../config/service-file.ts";
import { type Files, firstLook, look, WHOLE_MS } from "./file-tracker.ts";
import type { ServiceFile } from "../model/definition-set.ts";
import { type FileListing, isEmptyFile, listFiles } from "./list-files.ts";
import { Placements } from "./placements.ts";
import { isWholeJson, readServiceFile } from "./read-service-file.ts";

/** Reads the text of one file; `untrusted` says why it may not run programs. */
export type ParseServices = (text: string, file: string, untrusted: string | null) => ServicesRead;

/** Which service files are followed, and how they are read. */
export interface ServiceFilesConfig {
  /** Folders, globs and files. */
  readonly sources: readonly string[];
  readonly parse: ParseServices;
}

/** What following service files works with. */
export interface ServiceFilesDeps {
  readonly clock: Clock;
  readonly log: Logger;
  /** What an operator should see of this Watson. */
  readonly board: Pick<ProblemBoard, "set">;
  /** Told after each change of any file, with all of them. */
  readonly onChange: (files: readonly ServiceFile[]) => void;
}

/** Events come in bursts that one look covers, so looks are at least this far apart. */
const EVENT_DELAY_MS = 10;
/** File systems that send no events, links whose target is elsewhere, and events that were lost are found by looking. */
const LOOK_MS_MIN = 2_000;
/** A name that exists only for a moment, as while a file is put in place, is not reported as a mistake. */
const LISTING = { unusedAfterMs: 1_500 };
/** A look takes some 20 µs a file: with thousands of them it is made less often. */
const LOOK_MS_PER_FILE = 3;

/** The service files as they are now, for `--check`. */
export async function readAllFiles({ sources, parse }: ServiceFilesConfig): Promise<ServiceFile[]> {
  const { stamps, problems, unused } = await listFiles(sources, { unusedAfterMs: 0 });
  const files = await Promise.all([...stamps.keys()].map((path) => readFile(path, parse, [])));
  return [...files, ...[...problems, ...unused].map(unreadable)];
}

/**
 * Follows the service files until it is stopped. Events of the file system only say when to look; what a look finds is
 * compared with what was read, so that no sequence of events can leave it wrong.
 */
export class ServiceFiles {
  readonly #deps: ServiceFilesDeps;
  #config: ServiceFilesConfig;
  #tracked: Files = new Map();
  #files = new Map<string, ServiceFile>();
  #sourceProblems: readonly Problem[] = [];
  readonly #watchers = new Map<string, FSWatcher>();
  readonly #placements = new Placements();
  #cancelTimer: () => void = () => {};
  #dueMs = Number.POSITIVE_INFINITY;
  #lookedMs = Number.NEGATIVE_INFINITY;
  #looking: Promise<void> = Promise.resolve();
  #stopped = false;

  constructor(config: ServiceFilesConfig, deps: ServiceFilesDeps) {
    this.#config = config;
    this.#deps = deps;
  }

  /** Reads everything, and follows it from then on. */
  async start(): Promise<void> {
    await this.reload(this.#config);
  }

  /** Reads everything anew, by these settings. */
  async reload(config: ServiceFilesConfig): Promise<void> {
    this.#config = config;
    await this.#exclusively(async () => {
      const listing = await listFiles(config.sources, LISTING);
      this.#tracked = new Map([...this.#kept(listing), ...firstLook(listing.stamps)]);
      await this.#take([...listing.stamps.keys()], this.#goneOf(this.#tracked), listing);
    });
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    this.#cancelTimer();
    for (const watcher of this.#watchers.values()) watcher.close();
    this.#watchers.clear();
    await this.#looking;
  }

  #schedule(delayMs: number): void {
    const { clock } = this.#deps;
    const dueMs = clock.monotonicMs() + delayMs;
    if (this.#stopped || dueMs >= this.#dueMs) return;
    this.#cancelTimer();
    this.#dueMs = dueMs;
    this.#cancelTimer = clock.setTimer(delayMs, () => {
      this.#dueMs = Number.POSITIVE_INFINITY;
      void this.#exclusively(() => this.#look());
    });
  }

  /** One look at a time, each seeing what the last one left. */
  #exclusively(work: () => Promise<void>): Promise<void> {
    this.#looking = this.#looking.then(async () => {
      if (this.#stopped) return;
      try {
        await work();
        this.#deps.board.set("service folders", []);
      } catch (error) {
        this.#deps.log.error("Cannot look at the service files, trying again", { error });
        const message = `cannot be looked at: ${describeError(error)}; what they said last stays in force`;
        this.#deps.board.set("service folders", [{ subject: "service files", message, severity: "error" }]);
        this.#schedule(LOOK_MS_MIN);
      }
    });
    return this.#looking;
  }

  async #look(): Promise<void> {
    const listing = await listFiles(this.#config.sources, LISTING);
    const found = new Map([...this.#stampsOfKept(listing), ...listing.stamps]);
    const ended = await this.#endedAmong(found);
    const wholeSinceMs = (path: string, stamp: string): number | null => {
      if (ended.has(path)) return Number.NEGATIVE_INFINITY;
      return isEmptyFile(stamp) ? null : this.#placements.wholeSinceMs(path);
    };
    const { files, read, gone, againInMs } = look(this.#tracked, found, this.#deps.clock.monotonicMs(), wholeSinceMs);
    this.#tracked = files;
    this.#placements.keep(new Set([...files].flatMap(([path, { pending }]) => (pending === null ? [] : [path]))));
    await this.#take(read, gone, listing);
    this.#lookedMs = this.#deps.clock.monotonicMs();
    if (againInMs !== null) this.#schedule(againInMs);
  }

  /** The changed files that say themselves where they end, and have ended. */
  async #endedAmong(found: ReadonlyMap<string, string>): Promise<ReadonlySet<string>> {
    const changed = [...found].filter(([path, stamp]) => {
      const known = this.#tracked.get(path);
      // Of one content it is asked once.
      return stamp !== known?.read && stamp !== known?.pending?.stamp && !isEmptyFile(stamp);
    });
    const ended = await Promise.all(
      changed.map(async ([path]) => {
        const file = await readServiceFile(path);
        return file.ok && isWholeJson(file.text) ? [path] : [];
      }),
    );
    return new Set(ended.flat());
  }

  async #take(read: readonly string[], gone: readonly string[], listing: FileListing): Promise<void> {
    const { parse } = this.#config;
    const before = this.#files;
    const files = await Promise.all(read.map((path) => readFile(path, parse, before.get(path)?.instances ?? [])));
    for (const path of gone) this.#files.delete(path);
    for (const file of files) this.#files.set(file.file, file);
    const problems = [...listing.problems, ...listing.unused];
    const changed = read.length > 0 || gone.length > 0 || !isDeepStrictEqual(problems, this.#sourceProblems);
    this.#sourceProblems = problems;
    this.#follow(listing.folders);
    this.#schedule(Math.max(LOOK_MS_MIN, this.#files.size * LOOK_MS_PER_FILE));
    if (changed) this.#deps.onChange([...this.#files.values(), ...problems.map(unreadable)]);
  }

  /** The tracked files of a folder that cannot be read now: they are not taken to be removed. */
  #kept({ problems, stamps }: FileListing): [string, Files extends ReadonlyMap<string, infer T> ? T : never][] {
    const lost = problems.map(({ file }) => file.replace(/\/+$/, ""));
    return [...this.#tracked].filter(
      ([path]) => !stamps.has(path) && lost.some((source) => path === source || path.startsWith(`${source}/`)),
    );
  }

  #stampsOfKept(listing: FileListing): [string, string][] {
    return this.#kept(listing).flatMap(([path, { read }]) => (read === null ? [] : [[path, read]]));
  }

  #goneOf(tracked: Files): string[] {
    return [...this.#files.keys()].filter((path) => !tracked.has(path));
  }

  #follow(folders: ReadonlySet<string>): void {
    for (const [folder, watcher] of this.#watchers) {
      if (folders.has(folder)) continue;
      watcher.close();
      this.#watchers.delete(folder);
    }
    for (const folder of folders) if (!this.#watchers.has(folder)) this.#watch(folder);
  }

  #watch(folder: string): void {
    try {
      const watcher = watch(folder, { persistent: false }, (event, name) => {
        const nowMs = this.#deps.clock.monotonicMs();
        this.#schedule(Math.max(WHOLE_MS, this.#lookedMs + EVENT_DELAY_MS - nowMs));
        if (name === null) this.#placements.clear();
        else this.#placements.note(event, join(folder, name), nowMs);
        // The folder itself was moved or removed: another of its name has to be watched anew.
        if (event === "rename" && name !== null && folder.endsWith(`/${name}`)) this.#unwatch(folder, watcher);
      });
      watcher.on("error", () => this.#unwatch(folder, watcher));
      this.#watchers.set(folder, watcher);
    } catch (error) {
      this.#deps.log.debug("Cannot watch a folder, looking at it from time to time", { folder, error });
    }
  }

  #unwatch(folder: string, watcher: FSWatcher): void {
    watcher.close();
    if (this.#watchers.get(folder) === watcher) this.#watchers.delete(folder);
  }
}

async function readFile(path: string, parse: ParseServices, lastGood: ServiceFile["instances"]): Promise<ServiceFile> {
  const read = await readServiceFile(path);
  if (!read.ok) return { file: path, instances: lastGood, problems: [read.problem] };
  const parsed = parseAlone(() => parse(read.text, path, read.untrusted), path);
  if (!parsed.ok) return { file: path, instances: lastGood, problems: parsed.problems };
  return { file: path, instances: parsed.instances, problems: [] };
}

/** An error while one file is read is a problem of that file, and does not keep others from being read. */
function parseAlone(parse: () => ReturnType<ParseServices>, path: string): ReturnType<ParseServices> {
  try {
    return parse();
  } catch (error) {
    const message = `Cannot read the file, which is a fault of Watson: ${describeError(error)}`;
    return { ok: false, problems: [{ file: path, line: 1, column: 1, message }] };
  }
}

function unreadable(problem: Problem): ServiceFile {
  return { file: problem.file, instances: [], problems: [problem] };
}
