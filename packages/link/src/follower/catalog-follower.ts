import type { LeftOut } from "@datawire/protocol";
import type { Catalog } from "@datawire/catalog";
import type { Clock, Logger, ProblemBoard } from "@datawire/runtime";
import { type Applied, type Position, CatalogReplica, type CatalogUpdate } from "../core/catalog-replica.ts";
import { readSavedTable, SAVED_TABLE, type SavedTable, type TableDisk, TableSaver } from "./table-file.ts";
import type { LinkHandler, LinkMessage, LinkSession, Subscription } from "../session/link-handler.ts";

/** What is followed, and where the last table is kept. */
export interface CatalogFollowerConfig {
  /** Only these services; null for all. */
  readonly services: readonly string[] | null;
  /** Where the last table is kept for the next start; null keeps none. */
  readonly path: string | null;
  /** Begins with what is there and writes nothing: the file is another program's. Default: false. */
  readonly leavesFile?: boolean;
}

/** What a follower works with, and whom it tells. */
export interface CatalogFollowerDeps {
  /** What an operator should see of this program. */
  readonly board?: Pick<ProblemBoard, "set">;
  readonly clock: Clock;
  readonly log: Logger;
  readonly disk?: TableDisk;
  /** Called after the table has changed, and when only its revision moved. */
  readonly onUpdate: (update: CatalogUpdate) => void;
}

/** Where the table comes from and how old it is. */
export interface CatalogStatus {
  /** `disk` until the first table of the directory has come. */
  readonly origin: "none" | "disk" | "directory";
  readonly position: Position | null;
  /** The directory has just started; what it may not know yet is kept. */
  readonly warming: boolean;
  /** Whether changes come as they happen. */
  readonly connected: boolean;
  /** How often the hash of this table differed from the directory's, since the start. */
  readonly divergences: number;
  /** How long ago the table was last known to be that of the directory; null while there is none. */
  readonly ageMs: number | null;
}

/** Follows the table of one directory: pass `subscription` and the follower itself, as the handler, to `runLink`. */
export interface CatalogFollower extends LinkHandler {
  readonly table: Catalog;
  readonly subscription: Subscription;
  status(): CatalogStatus;
  /** What the directory's table has and could not be read; here it stays as it was. */
  leftOut(): readonly LeftOut[];
  /** Writes what is not on disk yet; for the end of the process, after the link has stopped. */
  close(): Promise<void>;
}

/** Makes a follower that begins with the table that the last one left on disk, if it is there and whole. */
export async function openCatalogFollower(
  config: CatalogFollowerConfig,
  deps: CatalogFollowerDeps,
): Promise<CatalogFollower> {
  const saved = config.path === null ? null : await readSavedTable(config.path, deps);
  return new Follower(config, deps, saved);
}

/** Origin and age as a state: the age of a followed table is zero, of a lost one it grows. */
type Source =
  | { readonly state: "none" }
  | { readonly state: "disk"; readonly savedAtMs: number }
  | { readonly state: "followed" }
  | { readonly state: "left"; readonly sinceMs: number };

/** A lasting difference must not make every subscriber ask for the whole table with every change. */
const ASK_AGAIN_MS = 600_000;

/** How exactly the age of the table on disk is kept while nothing changes. */
const CONFIRM_MS = 10_000;

class Follower implements CatalogFollower {
  readonly #replica = new CatalogReplica();
  readonly #config: CatalogFollowerConfig;
  readonly #deps: CatalogFollowerDeps;
  readonly #saver: TableSaver | null;
  #session: LinkSession | null = null;
  #source: Source = { state: "none" };
  #divergences = 0;
  #askedAgainMs = Number.NEGATIVE_INFINITY;
  /** Null while no confirmation is to come. */
  #cancelConfirming: (() => void) | null = null;

  constructor(config: CatalogFollowerConfig, deps: CatalogFollowerDeps, saved: SavedTable | null) {
    this.#config = config;
    this.#deps = deps;
    const { path, leavesFile = false } = config;
    this.#saver = path === null || leavesFile ? null : new TableSaver(path, deps);
    if (saved === null) return;
    this.#replica.restore(saved.table, saved.position, saved.leftOut);
    this.#source = { state: "disk", savedAtMs: saved.savedAtMs };
  }

  get table(): Catalog {
    return this.#replica.table;
  }

  get subscription(): Subscription {
    return {
      services: this.#config.services,
      have: () => this.#replica.have(),
      holds: () => this.#replica.table.size.instances,
    };
  }

  leftOut(): readonly LeftOut[] {
    return this.#replica.leftOut;
  }

  status(): CatalogStatus {
    const { clock } = this.#deps;
    const rest = {
      position: this.#replica.position,
      warming: this.#replica.warming,
      connected: this.#session !== null && this.#source.state === "followed",
      divergences: this.#divergences,
    };
    switch (this.#source.state) {
      case "none":
        return { ...rest, origin: "none", ageMs: null };
      case "disk":
        return { ...rest, origin: "disk", ageMs: Math.max(0, clock.nowMs() - this.#source.savedAtMs) };
      case "followed":
        return { ...rest, origin: "directory", ageMs: 0 };
      case "left":
        return { ...rest, origin: "directory", ageMs: clock.monotonicMs() - this.#source.sinceMs };
    }
  }

  connected(session: LinkSession): void {
    this.#session = session;
  }

  disconnected(): void {
    this.#session = null;
    this.#replica.disconnected();
    this.#endConfirming();
    if (this.#source.state === "followed") this.#source = { state: "left", sinceMs: this.#deps.clock.monotonicMs() };
  }

  message(message: LinkMessage): void {
    if (message.type !== "snapshot" && message.type !== "delta" && message.type !== "warm") return;
    const applied = this.#replica.apply(message);
    switch (applied.state) {
      case "pending":
        return;
      case "gap":
        this.#deps.log.warn("Table cannot be continued, asking for all of it", { reason: applied.reason });
        this.#replica.forgetPosition();
        this.#session?.reconnect(applied.reason);
        return;
      case "updated":
        return this.#updated(applied.update);
      case "diverged":
        this.#updated(applied.update);
        return this.#diverged(applied);
    }
  }

  async close(): Promise<void> {
    this.#endConfirming();
    await this.#saver?.close();
  }

  #updated(update: CatalogUpdate): void {
    this.#source = { state: "followed" };
    this.#deps.board?.set(SAVED_TABLE, []);
    this.#saver?.save(() => ({ table: this.#replica.table.snapshot(), position: this.#replica.resumable() }));
    if (this.#cancelConfirming === null && this.#saver !== null) this.#confirmLater(this.#saver);
    this.#deps.onUpdate(update);
  }

  /** A table without changes is up to date for as long as the link is there. */
  #confirmLater(saver: TableSaver): void {
    this.#cancelConfirming = this.#deps.clock.setTimer(CONFIRM_MS, () => {
      void saver.confirm();
      this.#confirmLater(saver);
    });
  }

  #endConfirming(): void {
    this.#cancelConfirming?.();
    this.#cancelConfirming = null;
  }

  /** The table that came stays in force although its hash is wrong: it is the newest there is. */
  #diverged({ reason, whole }: Extract<Applied, { state: "diverged" }>): void {
    const { clock, log } = this.#deps;
    this.#divergences += 1;
    const nowMs = clock.monotonicMs();
    // A whole table that differs would differ again: then the two sides do not hash alike.
    if (whole || nowMs - this.#askedAgainMs < ASK_AGAIN_MS)
      return log.debug("Table still differs from the directory's", { reason });
    this.#askedAgainMs = nowMs;
    log.warn("Table differs from the directory's, asking for all of it", { reason });
    this.#replica.forgetPosition();
    this.#session?.reconnect(reason);
  }
}
