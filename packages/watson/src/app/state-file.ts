import { own } from "@datawire/protocol";
import { randomUUID } from "node:crypto";
import { readFileSync } from "node:fs";
import { dirname } from "node:path";
import {
  type Clock,
  describeError,
  type Logger,
  type ProblemBoard,
  type RecentProblems,
  makePrivateFolder,
  readJsonFile,
  ExitError,
  writeFileAtomically,
} from "@datawire/runtime";
import { z } from "zod";
import type { ServiceDefinition } from "../model/service-definition.ts";

/** What a Watson has to know again after a restart. */
const stateSchema = z.object({
  /** The identity of this Watson towards the directories. */
  id: z.string().min(8).max(64),
  /** By directory, the keys of the instances that an operator has drained there. */
  drained: z.record(z.string(), z.array(z.string())).default({}),
  /** Which instances were live, and since which boot of the machine. */
  live: z
    .object({ boot: z.string(), urls: z.record(z.string(), z.string()) })
    .nullable()
    .default(null),
});
type Remembered = z.infer<typeof stateSchema>;

const FILE_BYTES_MAX = 16 * 1024 * 1024;
/** Changes within this time are written at once. */
const WRITE_DELAY_MS = 500;
/** The file lists the instances of this machine: only its owner may read it. */
const MODE = 0o600;

/** What the state file works with. */
export interface StateFileDeps {
  readonly clock: Clock;
  readonly log: Logger;
  /** What an operator should see of this Watson. */
  readonly board: Pick<ProblemBoard, "set">;
  readonly recent: Pick<RecentProblems, "note">;
  /** Names the present start of the machine; null where the system does not. */
  readonly boot?: string | null;
}

/** What survives a restart, in one small file. */
export class StateFile {
  readonly #path: string;
  readonly #deps: Omit<StateFileDeps, "boot">;
  readonly #boot: string | null;
  readonly #before: Remembered;
  #now: Remembered;
  #findLive: (() => Iterable<Pick<ServiceDefinition, "key" | "url">>) | null = null;
  #cancelTimer: (() => void) | null = null;
  #writing: Promise<void> = Promise.resolve();

  private constructor(path: string, before: Remembered, { boot = bootId(), ...deps }: StateFileDeps) {
    this.#path = path;
    this.#deps = deps;
    this.#boot = boot;
    this.#before = before;
    this.#now = before;
  }

  /**
   * Reads the file, or begins a new one. With a damaged file, or a folder that cannot be written, the state is lost but
   * the start goes on.
   * @throws ExitError where somebody else could have written the file, or the path can be no folder.
   */
  static async open(path: string, deps: StateFileDeps): Promise<StateFile> {
    await makePrivateFolder(dirname(path)).catch((error: unknown) => {
      if (error instanceof ExitError) throw error;
    });
    const read = await readJsonFile(path, { bytesMax: FILE_BYTES_MAX });
    const parsed = read.state === "read" ? stateSchema.safeParse(read.value) : null;
    if (parsed?.success === true) return new StateFile(path, parsed.data, deps);
    if (read.state !== "missing") {
      const reason = read.state === "unusable" ? read.reason : "it holds something else";
      deps.log.warn("State file not usable, beginning with a new identity", { path, reason });
      const message = `the state file could not be used (${reason}): this Watson has a new identity since its start, and what it had announced before is another one's until that one's lease ends`;
      deps.recent.note({ subject: path, message, remedy: "none is needed after a lease" });
    }
    const state = new StateFile(path, { id: randomUUID(), drained: {}, live: null }, deps);
    await state.#write(); // before anyone hears of the id
    return state;
  }

  get id(): string {
    return this.#now.id;
  }

  /** The instances that an operator had drained in a directory. */
  drained(directory: string): ReadonlySet<string> {
    return new Set(own(this.#now.drained, directory));
  }

  rememberDrained(directory: string, keys: readonly string[]): void {
    this.#now = { ...this.#now, drained: { ...this.#now.drained, [directory]: [...keys] } };
    void this.#write(); // a person asked for it, and seldom does
  }

  /** Whether an instance was live when Watson last looked, since the machine was started. */
  wasLive({ key, url }: Pick<ServiceDefinition, "key" | "url">): boolean {
    const { live } = this.#before;
    return live !== null && live.boot === this.#boot && own(live.urls, key) === url;
  }

  /** Notes that the set of live instances may have changed; `find` is called when it is written. */
  rememberLive(find: () => Iterable<Pick<ServiceDefinition, "key" | "url">>): void {
    this.#findLive = find;
    this.#scheduleWrite();
  }

  /** Writes what is not written yet. */
  async flush(): Promise<void> {
    if (this.#cancelTimer !== null) await this.#write();
    await this.#writing;
  }

  #scheduleWrite(): void {
    this.#cancelTimer ??= this.#deps.clock.setTimer(WRITE_DELAY_MS, () => void this.#write());
  }

  #write(): Promise<void> {
    this.#cancelTimer?.();
    this.#cancelTimer = null;
    if (this.#boot !== null && this.#findLive !== null) {
      const urls = Object.fromEntries([...this.#findLive()].map(({ key, url }) => [key, url]));
      this.#now = { ...this.#now, live: { boot: this.#boot, urls } };
    }
    const text = `${JSON.stringify(this.#now)}\n`;
    this.#writing = this.#writing.then(() => this.#save(text));
    return this.#writing;
  }

  async #save(text: string): Promise<void> {
    try {
      await makePrivateFolder(dirname(this.#path));
      await writeFileAtomically(this.#path, text, { mode: MODE });
      this.#deps.board.set("state file", []);
    } catch (error) {
      const path = this.#path;
      const message = `not written: ${describeError(error)}; a restart will look like another Watson`;
      const remedy = "see that its folder has room, and is this program's to write";
      this.#deps.board.set("state file", [{ subject: path, message, remedy }]);
      this.#deps.log.warn("State file not written: a restart will look like another Watson", { path, error });
    }
  }
}

function bootId(): string | null {
  try {
    return readFileSync("/proc/sys/kernel/random/boot_id", "utf8").trim();
  } catch {
    return null;
  }
}
