import { MemoryEtcd } from "@datawire/directory/testing";
import { instanceKey, parseDirectoryAddress } from "@datawire/protocol";
import { createFakeClock, type FakeClock } from "@datawire/runtime/testing";
import { seededChance } from "../environment/chance.ts";
import { DirectoryMachine } from "../machines/directory-machine.ts";
import { DirectoryDisk } from "../environment/disk.ts";
import type { Happening, History } from "./events.ts";
import { Invariants } from "../invariants/invariants.ts";
import { Network } from "../environment/network.ts";
import { LEASE_MS, PORT } from "../environment/settings.ts";
import { SherlockMachine } from "../machines/sherlock-machine.ts";
import { WatsonMachine } from "../machines/watson-machine.ts";

type Machine = DirectoryMachine | WatsonMachine | SherlockMachine;

/** A whole dstack on a simulated network and clock. */
export class World {
  readonly #clock: FakeClock;
  readonly #network: Network;
  readonly #disks = new Map<string, DirectoryDisk>();
  /** Null where each directory has a disk of its own. */
  readonly #etcd: MemoryEtcd | null;
  readonly #directories: readonly DirectoryMachine[];
  readonly #watsons: readonly WatsonMachine[];
  readonly #sherlocks: readonly SherlockMachine[];
  readonly #invariants: Invariants;

  constructor({ seed, store, directories, watsons, sherlocks }: History) {
    const clock = createFakeClock();
    const chance = seededChance(seed);
    const network = new Network(clock, chance);
    const deps = { clock, chance, network };
    this.#clock = clock;
    this.#network = network;
    this.#etcd = store === "etcd" ? new MemoryEtcd(clock, chance) : null;
    const names = (letter: string, count: number): string[] => Array.from({ length: count }, (_, i) => `${letter}${i}`);
    this.#directories = names("d", directories).map((name) => {
      const disk = new DirectoryDisk(chance);
      this.#disks.set(name, disk);
      return new DirectoryMachine(name, {
        ...deps,
        openStore: async (process) => this.#etcd?.open(process, { leaseMs: LEASE_MS }) ?? disk.open(process),
      });
    });
    const replicas = names("d", directories).map((name) => parseDirectoryAddress(`//${name}:${PORT}/directory`));
    const [first, ...others] = replicas;
    if (first === undefined) throw new Error("Cannot simulate without a directory");
    this.#watsons = names("w", watsons).map(
      (name) => new WatsonMachine(name, { ...deps, replicas: [first, ...others] }),
    );
    this.#sherlocks = names("s", sherlocks).map(
      (name) =>
        new SherlockMachine(name, {
          ...deps,
          replicas,
          onUpdate: (follower) => this.#invariants.updated(name, follower),
        }),
    );
    this.#invariants = new Invariants({
      clock,
      directories: this.#directories,
      watsons: this.#watsons,
      sherlocks: this.#sherlocks,
      shared: this.#etcd !== null,
    });
  }

  get elapsedMs(): number {
    return this.#clock.monotonicMs();
  }

  /** How many frames went over the network. */
  get frames(): number {
    return this.#network.frames;
  }

  /** Starts every machine; each Watson has a program. */
  begin(): void {
    for (const watson of this.#watsons) watson.set(0, "live");
    this.startAll();
  }

  /** Starts what is down. */
  startAll(): void {
    for (const machine of this.#machines()) this.#start(machine);
  }

  async advance(ms: number): Promise<void> {
    await this.#clock.advance(ms);
  }

  apply(event: Happening): void {
    switch (event.do) {
      case "program":
        return this.#setProgram(event);
      case "route":
        return this.#setRoute(event);
      case "cut":
        return this.#network.cut(event.client, event.directory, event.side);
      case "silence":
        return this.#network.silence(event.from, event.to, event.forMs);
      case "crash":
        return this.#crash(this.#machine(event.machine), event);
      case "wipe":
        this.#crash(this.#machine(event.directory), { absence: "refuses", forMs: event.forMs });
        this.#disks.get(event.directory)?.wipe();
        return this.#invariants.wiped();
      case "stop": {
        const machine = this.#machine(event.machine);
        if (machine instanceof WatsonMachine) this.#invariants.takenBack(machine.announced.keys());
        if (machine instanceof DirectoryMachine) this.#invariants.restarting();
        machine.stop();
        this.#later(event.forMs, () => this.#start(machine));
        return;
      }
      case "outage":
        return this.#loseStore(event);
    }
  }

  /** Makes whole what is broken; returns how long that takes. */
  heal(): number {
    this.startAll();
    return Math.max(this.#network.silentForMs, this.#invariants.unsavedForMs);
  }

  /** What must hold at every moment. */
  check(): void {
    this.#invariants.check();
  }

  /** What must hold when nothing was broken for a while. */
  checkQuiet(): void {
    this.#invariants.checkQuiet();
  }

  /** Ends all machines and timers. */
  end(): void {
    for (const machine of this.#machines()) machine.crash("silent");
  }

  #machines(): readonly Machine[] {
    return [...this.#directories, ...this.#watsons, ...this.#sherlocks];
  }

  #machine(name: string): Machine {
    const found = this.#machines().find((machine) => machine.name === name);
    if (found === undefined) throw new Error(`Cannot find ${name}: wanted one of the machines of this history`);
    return found;
  }

  #start(machine: Machine): void {
    if (machine.isUp) return;
    if (machine instanceof DirectoryMachine) this.#invariants.restarting();
    machine.start();
  }

  #crash(machine: Machine, { absence, forMs }: Pick<Extract<Happening, { do: "crash" }>, "absence" | "forMs">): void {
    machine.crash(absence);
    if (machine instanceof DirectoryMachine) this.#invariants.restarting();
    this.#invariants.routes.lost(machine.name, this.elapsedMs);
    this.#later(forMs, () => this.#start(machine));
  }

  #loseStore({ directory, forMs }: Extract<Happening, { do: "outage" }>): void {
    this.#invariants.outage(directory, forMs);
    if (this.#etcd !== null) return this.#etcd.hide(directory, forMs);
    const disk = this.#disks.get(directory);
    if (disk === undefined) return;
    disk.full = true;
    this.#later(forMs, () => (disk.full = false));
  }

  #later(ms: number, work: () => void): void {
    this.#clock.setTimer(ms, work);
  }

  #setProgram({ watson: name, number, state }: Extract<Happening, { do: "program" }>): void {
    const watson = this.#watsons.find((one) => one.name === name);
    if (state === "gone") this.#invariants.takenBack([instanceKey({ service: "barker", name: `${name}-${number}` })]);
    watson?.set(number, state);
  }

  #setRoute({ directory: name, caller, percent }: Extract<Happening, { do: "route" }>): void {
    const directory = this.#directories.find((one) => one.name === name);
    if (directory === undefined) return;
    const ended = this.#invariants.routes.begin(caller, { percent, directory: name, atMs: this.elapsedMs });
    void directory.setRoute({ caller, percent }).then((outcome) => ended(outcome, this.elapsedMs));
  }
}
