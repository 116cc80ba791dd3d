import { type CatalogFollower, openCatalogFollower, runLink } from "@datawire/link";
import type { DirectoryAddress } from "@datawire/protocol";
import { type Clock, noLog, VERSION } from "@datawire/runtime";
import type { SeededChance } from "../environment/chance.ts";
import { ClientDisk } from "../environment/disk.ts";
import type { Absence, Network } from "../environment/network.ts";
import { SimulatedProcess } from "../environment/simulated-process.ts";

interface SherlockMachineDeps {
  readonly clock: Clock;
  readonly chance: SeededChance;
  readonly network: Network;
  readonly replicas: readonly DirectoryAddress[];
  /** Told each time that the table may be another one. */
  readonly onUpdate: (follower: CatalogFollower) => void;
}

/** A machine with a Sherlock, as far as that follows the table; it may be down. */
export class SherlockMachine {
  readonly name: string;
  readonly #deps: SherlockMachineDeps;
  readonly #disk: ClientDisk;
  #process: SimulatedProcess | null = null;
  #follower: CatalogFollower | null = null;

  constructor(name: string, deps: SherlockMachineDeps) {
    this.name = name;
    this.#deps = deps;
    this.#disk = new ClientDisk(deps.chance);
  }

  get isUp(): boolean {
    return this.#process !== null;
  }

  /** What follows the table, once it has read the last one. */
  get follower(): CatalogFollower | null {
    return this.#follower;
  }

  start(): void {
    if (this.#process !== null) return;
    const process = new SimulatedProcess(this.name, this.#deps.clock);
    this.#process = process;
    this.#deps.network.back(this.name);
    void this.#run(process);
  }

  /** Ends the process without a word; its machine may go with it. */
  crash(absence: Absence): void {
    const process = this.#process;
    if (process === null) return;
    this.#process = null;
    this.#follower = null;
    process.kill();
    this.#deps.network.gone(process, absence);
  }

  /** Ends in good order. */
  stop(): void {
    this.#process?.stop.abort();
  }

  async #run(process: SimulatedProcess): Promise<void> {
    const { chance, network, replicas, onUpdate } = this.#deps;
    const { clock } = process;
    const follower: CatalogFollower = await openCatalogFollower(
      { services: null, path: "table.json" },
      { clock, log: noLog, disk: this.#disk.open(process), onUpdate: () => process.alive && onUpdate(follower) },
    );
    if (!process.alive) return;
    this.#follower = follower;
    const identity = { kind: "sherlock", name: this.name, id: `identity-of-${this.name}`, version: VERSION } as const;
    await runLink(
      { replicas, identity, token: null, tls: null, subscribe: follower.subscription },
      {
        clock,
        log: noLog,
        random: () => chance.number(),
        handler: follower,
        connect: ({ replica }, events) => network.connect(process, replica.host, events),
      },
      process.stop.signal,
    );
    await follower.close();
    if (process.alive) this.crash("refuses");
  }
}
