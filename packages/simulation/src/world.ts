import type { Catalog } from "@datawire/catalog";
import { countSlots, instanceKey, parseDirectoryAddress, SLOTS, tableKey } from "@datawire/protocol";
import type { CatalogFollower } from "@datawire/link";
import { splitTraffic } from "@datawire/routing";
import { createFakeClock, type FakeClock } from "@datawire/runtime/testing";
import { seededChance, type SeededChance } from "./chance.ts";
import { DirectoryMachine } from "./directory-machine.ts";
import { DirectoryDisk } from "./disk.ts";
import type { Happening, History } from "./events.ts";
import { MemoryEtcd } from "@datawire/directory/testing";
import { Network } from "./network.ts";
import { RouteLedger } from "./route-ledger.ts";
import { LEASE_MS, PORT } from "./settings.ts";
import { SherlockMachine } from "./sherlock-machine.ts";
import { WatsonMachine } from "./watson-machine.ts";

type Machine = DirectoryMachine | WatsonMachine | SherlockMachine;

/** So long after a disk has room again a directory has saved all that it answered. */
const SAVED_AGAIN_MS = 6_000;

/** So long after something was answered by one directory the others on the same store know it. */
const SPREAD_MS = 1_000;

/** A whole dstack, and what must hold in it. */
export class World {
  readonly #clock: FakeClock;
  readonly #chance: SeededChance;
  readonly #network: Network;
  readonly #disks = new Map<string, DirectoryDisk>();
  /** Null where each directory has a disk of its own. */
  readonly #etcd: MemoryEtcd | null;
  readonly #directories: readonly DirectoryMachine[];
  readonly #watsons: readonly WatsonMachine[];
  readonly #sherlocks: readonly SherlockMachine[];
  readonly #routes = new RouteLedger();
  /** Watson → when a directory last had a link with it. */
  readonly #linkedMs = new Map<string, number>();
  /** Keys of instances that their Watson has taken back at some time, or that its lease may have ended. */
  readonly #takenBack = new Set<string>();
  /** What a subscriber had, by key. */
  readonly #had = new WeakMap<CatalogFollower, Set<string>>();
  /** Directory → until when something that it answered may not be on its disk. */
  readonly #unsavedUntilMs = new Map<string, number>();
  #failure: Error | null = null;

  constructor({ seed, store, directories, watsons, sherlocks }: History) {
    this.#clock = createFakeClock();
    this.#chance = seededChance(seed);
    const deps = { clock: this.#clock, chance: this.#chance, network: new Network(this.#clock, this.#chance) };
    this.#network = deps.network;
    const names = (letter: string, count: number): string[] => Array.from({ length: count }, (_, i) => `${letter}${i}`);
    this.#etcd = store === "etcd" ? new MemoryEtcd(this.#clock, this.#chance) : null;
    this.#directories = names("d", directories).map((name) => {
      const disk = new DirectoryDisk(this.#chance);
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
      (name) => new SherlockMachine(name, { ...deps, replicas, onUpdate: (follower) => this.#updated(name, follower) }),
    );
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
    for (const machine of this.#machines()) machine.start();
  }

  async advance(ms: number): Promise<void> {
    await this.#clock.advance(ms);
    if (this.#failure !== null) throw this.#failure;
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
      case "crash": {
        const machine = this.#machine(event.machine);
        machine.crash(event.absence);
        this.#routes.lost(machine.name, this.elapsedMs);
        this.#later(event.forMs, () => this.#start(machine));
        return;
      }
      case "stop": {
        const machine = this.#machine(event.machine);
        if (machine instanceof WatsonMachine) for (const key of machine.announced.keys()) this.#takenBack.add(key);
        machine.stop();
        this.#later(event.forMs, () => this.#start(machine));
        return;
      }
      case "outage":
        return this.#begin(event);
    }
  }

  /** Makes whole what is broken; returns how long that takes. */
  heal(): number {
    // One that is about to end is started again when it has.
    for (const machine of this.#machines()) {
      this.#start(machine);
      for (let ms = 500; ms <= 3_000; ms += 500) this.#later(ms, () => this.#start(machine));
    }
    return Math.max(
      this.#network.silentForMs,
      ...[...this.#unsavedUntilMs.values()].map((untilMs) => untilMs - this.elapsedMs),
    );
  }

  /** What must hold at every moment. */
  check(): void {
    const linked = new Set<string>();
    for (const { directory } of this.#directories) {
      for (const { kind, name } of directory?.tenant.links.clients() ?? []) if (kind === "watson") linked.add(name);
    }
    // Its lease may have ended; what it then holds it has to be answered for again.
    for (const { name, confirmed, announced } of this.#watsons) {
      if (this.#isInSight(name)) continue;
      confirmed.clear();
      for (const key of announced.keys()) this.#takenBack.add(key);
    }
    for (const name of linked) this.#linkedMs.set(name, this.elapsedMs);
    for (const { name, directory } of this.#directories) {
      if (directory === null || (this.#etcd !== null && this.#isUnsaved())) continue;
      for (const key of this.#owed()) {
        if (directory.tenant.state.table.instance(key) === null)
          throw new Error(
            `${name} does not know ${key}, which its Watson holds, was confirmed, and is not out of sight for a lease`,
          );
      }
    }
    for (const { name, follower } of this.#sherlocks) if (follower !== null) checkShares(name, follower);
  }

  /** What must hold when nothing was broken for a while. */
  checkQuiet(): void {
    const wanted = new Map(this.#watsons.flatMap(({ announced }) => [...announced]));
    const tables = new Map<string, Catalog>();
    for (const { name, directory } of this.#directories) {
      if (directory === null) throw new Error(`${name} is not there`);
      const { publisher, state } = directory.tenant;
      if (publisher.warming) throw new Error(`${name} still warms up`);
      tables.set(name, state.table);
      this.#checkRoutes(name, directory.tenant.state.table);
    }
    for (const { name, isUpToDate } of this.#watsons)
      if (!isUpToDate) throw new Error(`${name} was not answered for what it announces`);
    for (const { name, follower } of this.#sherlocks) {
      if (follower === null) throw new Error(`${name} is not there`);
      const { connected, warming } = follower.status();
      if (!connected || warming)
        throw new Error(`${name} is ${connected ? "told that its directory warms up" : "not connected"}`);
      const table = follower.table;
      for (const [key, { state }] of wanted) {
        const shown = table.instance(key)?.state ?? "missing";
        if (shown !== state) throw new Error(`${name} has ${key} as ${shown}, and its Watson says ${state}`);
      }
      for (const one of table.instances())
        if (!wanted.has(instanceKey(one))) throw new Error(`${name} has ${instanceKey(one)}, which nobody announces`);
      tables.set(name, table);
    }
    this.#checkAlike([...tables]);
  }

  #checkAlike([first, ...others]: readonly (readonly [string, Catalog])[]): void {
    for (const [name, table] of others) {
      if (first === undefined || table.hash() === first[1].hash()) continue;
      const [own, there] = [entitiesOf(table), entitiesOf(first[1])];
      const only = (one: Set<string>, other: Set<string>): string =>
        [...one].filter((text) => !other.has(text)).join(", ");
      throw new Error(
        `the tables differ: ${name} alone has ${only(own, there)}; ${first[0]} alone has ${only(there, own)}`,
      );
    }
  }

  /** Ends everything, so that nothing of it is left. */
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
    // A store that takes nothing keeps no Watson waiting: what was answered meanwhile is in memory alone.
    if (machine instanceof DirectoryMachine && this.#isUnsaved())
      for (const { confirmed } of this.#watsons) confirmed.clear();
    machine.start();
  }

  #begin({ directory, forMs }: Extract<Happening, { do: "outage" }>): void {
    this.#unsavedUntilMs.set(directory, this.elapsedMs + forMs + SAVED_AGAIN_MS);
    if (this.#etcd !== null) {
      // What is answered from now on may be known to this directory alone.
      for (const { confirmed } of this.#watsons) confirmed.clear();
      return this.#etcd.hide(directory, forMs);
    }
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
    if (state === "gone") this.#takenBack.add(instanceKey({ service: "barker", name: `${name}-${number}` }));
    watson?.set(number, state);
  }

  #setRoute({ directory: name, caller, percent }: Extract<Happening, { do: "route" }>): void {
    const directory = this.#directories.find((one) => one.name === name);
    if (directory === undefined) return;
    const ended = this.#routes.begin(caller, { percent, directory: name, atMs: this.elapsedMs });
    void directory.setRoute({ caller, percent }).then((outcome) => ended(outcome, this.elapsedMs));
  }

  /** The instances that nobody may lose sight of: confirmed to a Watson that was linked within the last lease. */
  *#owed(): Generator<string> {
    const saidMs = this.elapsedMs - (this.#etcd === null ? 0 : SPREAD_MS);
    for (const { name, confirmed } of this.#watsons) {
      if (!this.#isInSight(name)) continue;
      for (const [key, sinceMs] of confirmed) if (sinceMs <= saidMs) yield key;
    }
  }

  /** Whether some directory may not have saved yet what it answered, or not know what others have. */
  #isUnsaved(): boolean {
    return [...this.#unsavedUntilMs.values()].some((untilMs) => untilMs > this.elapsedMs);
  }

  /** Whether some directory had a link with a Watson within the last lease. */
  #isInSight(watson: string): boolean {
    return this.elapsedMs - (this.#linkedMs.get(watson) ?? Number.NEGATIVE_INFINITY) < LEASE_MS;
  }

  /** A subscriber has another table: what it is owed and had before is there still. */
  #updated(name: string, follower: CatalogFollower): void {
    const now = new Set([...follower.table.instances()].map(instanceKey));
    const before = this.#had.get(follower) ?? new Set();
    this.#had.set(follower, now);
    // A directory that has lost sight of its store goes on with what it has, which may lack what others know.
    if (this.#etcd !== null && this.#isUnsaved()) return;
    for (const key of this.#owed()) {
      if (!before.has(key) || now.has(key) || this.#takenBack.has(key)) continue;
      this.#failure ??= new Error(`${name} lost ${key}, which its Watson holds and is not out of sight for a lease`);
    }
  }

  #checkRoutes(name: string, table: Catalog): void {
    for (const caller of this.#routes.callers()) {
      const routes = table.routeTable(tableKey({ caller, service: "barker" }))?.routes ?? [];
      const share = routes.find(({ target }) => target === "//barker(2)")?.share ?? null;
      const percent = share === null ? null : share / 100;
      const possible = this.#routes.possible(caller);
      if (!possible.has(percent))
        throw new Error(`${name} gives ${caller} ${percent}% of version 2, and answered ${[...possible].join(" or ")}`);
    }
  }
}

const entitiesOf = (table: Catalog): Set<string> =>
  new Set([...table.services(), ...table.instances(), ...table.routeTables()].map((entity) => JSON.stringify(entity)));

function checkShares(name: string, { table }: CatalogFollower): void {
  for (const service of table.serviceNames()) {
    for (const caller of ["m0", "m1", "other"]) {
      const shares = splitTraffic(table, service, { caller, zone: null })?.shares ?? [];
      const slots = countSlots(shares.flatMap((share) => share.slots));
      if (shares.length > 0 && slots !== SLOTS)
        throw new Error(`the shares of ${caller} at ${name} add up to ${slots} slots`);
    }
  }
}
