import type { Catalog } from "@datawire/catalog";
import type { CatalogFollower } from "@datawire/link";
import { countSlots, instanceKey, SLOTS, tableKey } from "@datawire/protocol";
import { splitTraffic } from "@datawire/routing";
import type { Clock } from "@datawire/runtime";
import type { DirectoryMachine } from "../machines/directory-machine.ts";
import { GuardWatch } from "./guard-watch.ts";
import { RouteLedger } from "./route-ledger.ts";
import { LEASE_MS } from "../environment/settings.ts";
import type { SherlockMachine } from "../machines/sherlock-machine.ts";
import type { WatsonMachine } from "../machines/watson-machine.ts";

interface InvariantsConfig {
  readonly clock: Pick<Clock, "monotonicMs">;
  readonly directories: readonly DirectoryMachine[];
  readonly watsons: readonly WatsonMachine[];
  readonly sherlocks: readonly SherlockMachine[];
  /** Whether the directories share a store. */
  readonly shared: boolean;
}

/** The time within which a directory saves all that it answered, once its store takes writes again. */
const SAVED_AGAIN_MS = 6_000;

/** The time within which an answer of one directory is known to the others on the same store. */
const SPREAD_MS = 1_000;

/** The time for which answers of a killed directory may still arrive. */
const UNDER_WAY_MS = 300;

/** The promises of dstack, checked from outside: on answers, announcements and messages. */
export class Invariants {
  /** What operators were answered. */
  readonly routes = new RouteLedger();
  readonly #config: InvariantsConfig;
  /** Watson → when a directory last had a link with it; while no directory is there, no lease goes by. */
  readonly #linkedMs = new Map<string, number>();
  /** Keys of instances that their Watson has taken back at some time, or that its lease may have ended. */
  readonly #takenBack = new Set<string>();
  /** What a subscriber had, by key. */
  readonly #had = new WeakMap<CatalogFollower, Set<string>>();
  /** Directory → until when something that it answered may not be in its store. */
  readonly #unsavedUntilMs = new Map<string, number>();
  /** The Watsons that a directory had a link with at the last look. */
  #linkedBefore: ReadonlySet<string> = new Set();
  readonly #guards = new WeakMap<object, GuardWatch>();
  /** The hash of each table when its shares were last added up: the same table gives the same ones. */
  readonly #added = new WeakMap<Catalog, string>();
  /** When a directory last lost what it had stored. */
  #wipedMs = Number.NEGATIVE_INFINITY;
  #failure: Error | null = null;

  constructor(config: InvariantsConfig) {
    this.#config = config;
  }

  /** Notes that a Watson withdraws these instances. */
  takenBack(keys: Iterable<string>): void {
    for (const key of keys) this.#takenBack.add(key);
  }

  /** The store of a directory takes nothing for a while, and keeps no Watson waiting: what is answered is in memory alone. */
  outage(directory: string, forMs: number): void {
    this.#unsavedUntilMs.set(directory, this.#nowMs() + forMs + SAVED_AGAIN_MS);
    // From here on, neither this directory nor the others know what the other side answers.
    if (this.#config.shared) this.#forgetConfirmed();
  }

  /** How long it takes until all is saved that was answered. */
  get unsavedForMs(): number {
    return Math.max(0, ...[...this.#unsavedUntilMs.values()].map((untilMs) => untilMs - this.#nowMs()));
  }

  /** A directory starts, or ends: what is in its memory alone is lost. */
  restarting(): void {
    if (this.unsavedForMs > 0) this.#forgetConfirmed();
  }

  /** A directory has lost what it had stored: subscribers keep what they have until the Watsons had time to come back. */
  wiped(): void {
    this.#wipedMs = this.#nowMs() + UNDER_WAY_MS;
    this.routes.clear();
  }

  /** A subscriber has another table: what it is owed and had before is there still. */
  updated(name: string, follower: CatalogFollower): void {
    const now = new Set([...follower.table.instances()].map(instanceKey));
    const before = this.#had.get(follower) ?? new Set();
    this.#had.set(follower, now);
    // A directory that has lost sight of its store goes on with what it has, which may lack what others know.
    if (this.#config.shared && this.unsavedForMs > 0) return;
    for (const key of this.#owed()) {
      if (!before.has(key) || now.has(key) || this.#takenBack.has(key)) continue;
      this.#failure ??= new Error(`${name} lost ${key}, which its Watson holds and is not out of sight for a lease`);
    }
  }

  /** What must hold at every moment. */
  check(): void {
    if (this.#failure !== null) throw this.#failure;
    const { directories, watsons, sherlocks, shared } = this.#config;
    const linked = new Set<string>();
    for (const { directory } of directories)
      for (const { kind, name } of directory?.tenant.links.clients() ?? []) if (kind === "watson") linked.add(name);
    // Its lease may have ended; what it then holds it has to be answered for again.
    for (const { name, confirmed, announced } of watsons) {
      if (this.#isInSight(name)) continue;
      confirmed.clear();
      this.takenBack(announced.keys());
    }
    const nobodyCounts = directories.every(({ directory }) => directory === null);
    for (const { name } of watsons)
      if (linked.has(name) || (nobodyCounts && this.#isInSight(name))) this.#linkedMs.set(name, this.#nowMs());
    for (const machine of directories) {
      if (machine.directory === null || (shared && this.unsavedForMs > 0)) continue;
      this.#checkKnown(machine.name, machine.directory.tenant.state.table);
      if (!shared) this.#checkGuard(machine.directory, linked);
    }
    this.#linkedBefore = linked;
    for (const { name, follower } of sherlocks) if (follower !== null) this.#checkShares(name, follower);
  }

  /** What must hold when nothing was broken for a while. */
  checkQuiet(): void {
    const wanted = new Map(this.#config.watsons.flatMap(({ announced }) => [...announced]));
    const tables = new Map<string, Catalog>();
    for (const { name, directory } of this.#config.directories) {
      if (directory === null) throw new Error(`${name} is not there`);
      const { publisher, state } = directory.tenant;
      if (publisher.warming) throw new Error(`${name} still warms up`);
      tables.set(name, state.table);
      this.#checkRoutes(name, directory.tenant.state.table);
    }
    for (const { name, isUpToDate } of this.#config.watsons)
      if (!isUpToDate) throw new Error(`${name} was not answered for what it announces`);
    for (const { name, follower } of this.#config.sherlocks) {
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

  #checkKnown(name: string, table: Catalog): void {
    const known = new Set(
      this.#config.watsons.filter(({ answeredMs }) => answeredMs > this.#wipedMs).map((one) => one.name),
    );
    for (const key of this.#owed(known)) {
      if (table.instance(key) === null)
        throw new Error(
          `${name} does not know ${key}, which its Watson holds, was confirmed, and is not out of sight for a lease`,
        );
    }
  }

  #checkGuard(directory: NonNullable<DirectoryMachine["directory"]>, linked: ReadonlySet<string>): void {
    const watch = this.#guards.get(directory) ?? new GuardWatch();
    this.#guards.set(directory, watch);
    const instances = new Set([...directory.tenant.state.table.instances()].map(instanceKey));
    const lost = new Set([...instances].filter((key) => !linked.has(watsonOf(key))));
    // One that is linked says for itself what is gone, and one that has just left may have said so.
    watch.see(
      { atMs: this.#nowMs(), instances, lost },
      (key) => linked.has(watsonOf(key)) || this.#linkedBefore.has(watsonOf(key)),
    );
  }

  /** The instances that nobody may lose sight of: confirmed to a Watson that was linked within the last lease. */
  *#owed(watsons?: ReadonlySet<string>): Generator<string> {
    const saidMs = this.#nowMs() - (this.#config.shared ? SPREAD_MS : 0);
    for (const { name, confirmed } of this.#config.watsons) {
      if (!this.#isInSight(name) || watsons?.has(name) === false) continue;
      for (const [key, sinceMs] of confirmed) if (sinceMs <= saidMs) yield key;
    }
  }

  /** Whether some directory had a link with a Watson within the last lease. */
  #isInSight(watson: string): boolean {
    return this.#nowMs() - (this.#linkedMs.get(watson) ?? Number.NEGATIVE_INFINITY) < LEASE_MS;
  }

  #checkShares(name: string, { table }: CatalogFollower): void {
    const hash = table.hash();
    if (this.#added.get(table) === hash) return;
    addUpShares(name, table);
    this.#added.set(table, hash);
  }

  #checkRoutes(name: string, table: Catalog): void {
    for (const caller of this.routes.callers()) {
      const routes = table.routeTable(tableKey({ caller, service: "barker" }))?.routes ?? [];
      const share = routes.find(({ target }) => target === "//barker(2)")?.share ?? null;
      const percent = share === null ? null : share / 100;
      const possible = this.routes.possible(caller);
      if (!possible.has(percent))
        throw new Error(`${name} gives ${caller} ${percent}% of version 2, and answered ${[...possible].join(" or ")}`);
    }
  }

  #forgetConfirmed(): void {
    for (const { confirmed } of this.#config.watsons) confirmed.clear();
  }

  #nowMs(): number {
    return this.#config.clock.monotonicMs();
  }
}

/** The Watson of an instance, by the names that programs have here. */
const watsonOf = (key: string): string => key.slice(key.indexOf("@") + 1, key.lastIndexOf("-"));

const entitiesOf = (table: Catalog): Set<string> =>
  new Set([...table.services(), ...table.instances(), ...table.routeTables()].map((entity) => JSON.stringify(entity)));

function addUpShares(name: string, table: Catalog): void {
  for (const service of table.serviceNames()) {
    for (const caller of ["m0", "m1", "other"]) {
      const shares = splitTraffic(table, service, { caller, zone: null })?.shares ?? [];
      const slots = countSlots(shares.flatMap((share) => share.slots));
      if (shares.length > 0 && slots !== SLOTS)
        throw new Error(`the shares of ${caller} at ${name} add up to ${slots} slots`);
    }
  }
}
