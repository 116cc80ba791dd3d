import { watch } from "node:fs";
import { readdir, readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import { isName } from "@datawire/protocol";
import { describeError, type Clock } from "@datawire/runtime";
import { MdkError } from "../../session/mdk-error.ts";
import { MergedTable } from "./merged-table.ts";
import { type ListedNode, tableOf } from "./node-list.ts";
import type { Source, SourceEvents } from "./source.ts";

interface SynapseDeps {
  readonly clock: Clock;
  readonly events: SourceEvents;
}

/** A folder is also looked at from time to time, as not every file system tells of changes. */
const LOOK_MS = 5_000;
/** Several files that change together are read together. */
const COALESCE_MS = 50;
const FILE_BYTES_MAX = 16 * 1024 * 1024;
/** All that Synapse knows of versions. */
const VERSION = "1.0";

/**
 * The files that Airbnb's Synapse writes into a folder, `SERVICE.json` with a list of `{ host, port }` each: nodes of
 * version 1.0 at `HOST:PORT`. A file that cannot be read leaves what is known of its service as it was.
 */
export class SynapseSource implements Source {
  readonly table = new MergedTable();
  readonly #folder: string;
  readonly #deps: SynapseDeps;
  #nodes = new Map<string, ReadFile>();
  #problem: string | null = "it was not read yet";
  readonly #stopped = new AbortController();
  #running: Promise<void> = Promise.resolve();

  constructor(folder: string, deps: SynapseDeps) {
    this.#folder = folder;
    this.#deps = deps;
  }

  missing(): MdkError | null {
    if (this.#problem === null) return null;
    return new MdkError("unavailable", `Cannot read the folder of Synapse ${this.#folder}: ${this.#problem}`);
  }

  denial(): null {
    return null;
  }

  start(): void {
    this.#running = this.#run(this.#stopped.signal);
  }

  async stop(): Promise<void> {
    this.#stopped.abort();
    await this.#running;
  }

  async #run(signal: AbortSignal): Promise<void> {
    const { clock } = this.#deps;
    while (!signal.aborted) {
      const changed = new AbortController();
      const watcher = this.#watch(() => changed.abort());
      await this.#look();
      await clock.sleep(LOOK_MS, AbortSignal.any([signal, changed.signal]));
      watcher?.close();
      if (changed.signal.aborted) await clock.sleep(COALESCE_MS, signal);
    }
  }

  #watch(onChange: () => void) {
    try {
      return watch(this.#folder, { persistent: false }, onChange).on("error", onChange);
    } catch {
      return null; // it is not there yet, and looked for again
    }
  }

  async #look(): Promise<void> {
    const before = this.#nodes;
    try {
      this.#nodes = await this.#read();
      this.#problem = null;
    } catch (error) {
      this.#problem = describeError(error);
      return;
    }
    const names = [...new Set([...before.keys(), ...this.#nodes.keys()])];
    const changed = names.filter((name) => before.get(name)?.text !== this.#nodes.get(name)?.text);
    if (changed.length > 0) {
      this.table.set([tableOf([...this.#nodes.values()].flatMap(({ nodes }) => nodes))]);
      this.#deps.events.changed(changed);
    }
    this.#deps.events.settled();
  }

  async #read() {
    const found = new Map<string, ReadFile>();
    for (const file of await readdir(this.#folder)) {
      const service = file.slice(0, -".json".length);
      if (!file.endsWith(".json") || !isName(service)) continue;
      const known = this.#nodes.get(service);
      const read = await readNodes(join(this.#folder, file), service).catch(() => known);
      if (read !== undefined) found.set(service, read);
    }
    return found;
  }
}

interface ReadFile {
  readonly text: string;
  readonly nodes: readonly ListedNode[];
}

async function readNodes(path: string, service: string): Promise<ReadFile> {
  const { size } = await stat(path);
  if (size > FILE_BYTES_MAX) throw new Error(`it has ${size} bytes, wanted ${FILE_BYTES_MAX} at the most`);
  const text = await readFile(path, "utf8");
  const entries = JSON.parse(text) as unknown;
  if (!Array.isArray(entries)) throw new Error("wanted a list");
  const nodes = entries.flatMap((entry: unknown): ListedNode[] => {
    const { host, port } = (entry ?? {}) as Record<string, unknown>;
    if (typeof host !== "string" || !Number.isInteger(port)) return [];
    return [{ service, version: VERSION, address: `${host}:${String(port)}` }];
  });
  return { text, nodes };
}
