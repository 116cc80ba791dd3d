import {
  loneStore,
  type MemoryDirectory,
  openMemoryDirectory,
  planRouteSet,
  type Store,
  StoreError,
  TEST_CONFIG,
} from "@datawire/directory/testing";
import { type Clock, noLog } from "@datawire/runtime";
import type { SeededChance } from "../environment/chance.ts";
import type { Absence, Network } from "../environment/network.ts";
import { DIRECTORY_CONFIG } from "../environment/settings.ts";
import { SimulatedProcess } from "../environment/simulated-process.ts";

interface DirectoryMachineDeps {
  readonly clock: Clock;
  readonly chance: SeededChance;
  readonly network: Network;
  /** Opens what the directory keeps its state in. */
  readonly openStore: (process: SimulatedProcess) => Promise<Store>;
}

/** How a change of routes ended, as its operator knows it. */
export type Outcome = "answered" | "refused" | "unknown";

/** A machine with a directory, which may be down. */
export class DirectoryMachine {
  readonly name: string;
  readonly #deps: DirectoryMachineDeps;
  #process: SimulatedProcess | null = null;
  #directory: MemoryDirectory | null = null;

  constructor(name: string, deps: DirectoryMachineDeps) {
    this.name = name;
    this.#deps = deps;
  }

  get isUp(): boolean {
    return this.#process !== null;
  }

  /** The directory, from when it has loaded its store until it is asked to end. */
  get directory(): MemoryDirectory | null {
    return this.#directory;
  }

  start(): void {
    if (this.#process !== null) return;
    const { clock, network } = this.#deps;
    const process = new SimulatedProcess(this.name, clock);
    this.#process = process;
    network.back(this.name);
    void this.#run(process);
  }

  /** Ends the process without a word; its machine may go with it. */
  crash(absence: Absence): void {
    const process = this.#process;
    if (process === null) return;
    this.#process = null;
    this.#directory = null;
    process.kill();
    this.#deps.network.listen(this.name, null, absence);
    this.#deps.network.gone(process, absence);
  }

  /** Asks the process to end in good order. */
  stop(): void {
    if (this.#process === null) return;
    this.#process.stop.abort();
    this.#directory = null;
    this.#deps.network.listen(this.name, null);
  }

  /** Gives a caller this share of one version of a service; resolves when the directory has answered. */
  async setRoute({ caller, percent }: { readonly caller: string; readonly percent: number }): Promise<Outcome> {
    const directory = this.#directory;
    if (directory === null) return "refused";
    const { executor, state } = directory.tenant;
    const command = {
      source: `//${caller}`,
      targets: [{ target: "//barker(2)", percent }],
      ahead: true,
      dryRun: false,
    };
    try {
      await executor.change((moment) => planRouteSet(state, command, moment), {
        author: { who: "operator", verified: false },
        undoable: true,
      });
      return "answered";
    } catch (error) {
      return error instanceof StoreError && error.code === "uncertain" ? "unknown" : "refused";
    }
  }

  async #run(process: SimulatedProcess): Promise<void> {
    const { chance, network, openStore } = this.#deps;
    const store = await openStore(process);
    const address = `//${this.name}/directory`;
    const directory = await openMemoryDirectory(
      { ...TEST_CONFIG, ...DIRECTORY_CONFIG, directories: [this.name], address },
      { stores: loneStore(store), clock: process.clock, log: noLog, chance },
    );
    if (!process.alive) return;
    if (!process.stop.signal.aborted) {
      this.#directory = directory;
      network.listen(this.name, { process, open: (events, wires) => directory.link(events, wires) });
    }
    await directory.run(process.stop.signal);
    await store.close();
    if (process.alive) this.crash("refuses");
  }
}
