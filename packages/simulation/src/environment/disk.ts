import { MemoryStore, type Store, StoreError } from "@datawire/directory/testing";
import type { TableDisk } from "@datawire/link";
import type { SeededChance } from "./chance.ts";
import type { SimulatedProcess } from "./simulated-process.ts";

/** How long a write takes until it is on disk, and until whoever asked for it knows. */
const WRITE_MS = { min: 0, max: 8 } as const;

/** The disk of a directory: what was written survives the process that wrote it, whether or not it learnt of that. */
export class DirectoryDisk {
  readonly #chance: SeededChance;
  #content = new MemoryStore();

  constructor(chance: SeededChance) {
    this.#chance = chance;
  }

  /** Whether nothing can be written now. */
  set full(full: boolean) {
    this.#content.failing = full;
  }

  /** Loses everything. */
  wipe(): void {
    this.#content = new MemoryStore();
  }

  /** The store as one process uses it. */
  open(process: SimulatedProcess): Store {
    const content = this.#content;
    const slowly = async <T>(work: () => Promise<T>): Promise<T> => {
      await process.pause(this.#chance.between(WRITE_MS.min, WRITE_MS.max));
      const result = await work();
      await process.pause(this.#chance.between(WRITE_MS.min, WRITE_MS.max));
      return result;
    };
    return {
      kind: "embedded",
      writesMax: content.writesMax,
      get outage() {
        return content.outage;
      },
      load: () => slowly(() => content.load()),
      commit: (writes) => slowly(() => content.commit(writes)),
      replication: {
        kind: "snapshot",
        save: (changes) => slowly(() => content.replication.save(changes)),
      },
      follow() {},
      close: () => Promise.resolve(),
    };
  }
}

/** The disk of a client: whole files, each with its time. */
export class ClientDisk {
  readonly #chance: SeededChance;
  readonly #files = new Map<string, { readonly text: string; readonly touchedMs: number }>();

  constructor(chance: SeededChance) {
    this.#chance = chance;
  }

  open(process: SimulatedProcess): TableDisk {
    return {
      read: (path) => {
        const text = this.#files.get(path)?.text;
        return Promise.resolve(
          text === undefined ? { state: "missing" } : { state: "read", value: JSON.parse(text) as unknown },
        );
      },
      touchedMs: (path) => Promise.resolve(this.#files.get(path)?.touchedMs ?? 0),
      write: async (path, text) => {
        await process.pause(this.#chance.between(WRITE_MS.min, WRITE_MS.max));
        this.#files.set(path, { text, touchedMs: process.clock.nowMs() });
      },
      touch: (path, atMs) => {
        const file = this.#files.get(path);
        if (file === undefined)
          return Promise.reject(new StoreError("damaged", `Cannot touch ${path}: it is not there`));
        this.#files.set(path, { ...file, touchedMs: atMs });
        return Promise.resolve();
      },
    };
  }
}
