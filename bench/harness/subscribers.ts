import {
  connectWebSocket,
  type Connect,
  type LinkHandler,
  type LinkMessage,
  type Position,
  type Subscription,
  type CatalogFollower,
  openCatalogFollower,
  runLink,
} from "@datawire/link";
import type { DirectoryAddress } from "@datawire/protocol";
import type { Catalog } from "@datawire/catalog";
import { noLog, systemClock } from "@datawire/runtime";
import { Census } from "./census.ts";

/** What came over the links of one subscriber. */
class Traffic {
  messages = 0;
  bytes = 0;
  /** Opens links that are counted here. */
  readonly connect: Connect = (target, events) =>
    connectWebSocket(target, {
      ...events,
      opened: () => events.opened(),
      alive: () => events.alive(),
      closed: (reason, refused) => events.closed(reason, refused),
      text: (data) => {
        this.messages += 1;
        this.bytes += Buffer.byteLength(data);
        events.text(data);
      },
    });

  reset(): void {
    this.messages = 0;
    this.bytes = 0;
  }
}

/** A subscriber in this process: the link and the copy of the table that Sherlock has, and a census of that table. */
export class Follower {
  readonly traffic = new Traffic();
  readonly census = new Census();
  readonly #follower: CatalogFollower;
  readonly #looking = new Set<() => void>();

  private constructor(follower: CatalogFollower) {
    this.#follower = follower;
  }

  /** @param tables where each table that it has is written down; not, where it is left out. */
  static async open(tables?: KnownTables): Promise<Follower> {
    const inner: CatalogFollower = await openCatalogFollower(
      { services: null, path: null },
      {
        clock: systemClock,
        log: noLog,
        onUpdate: ({ services }) => {
          follower.census.take(inner.table, services);
          tables?.add(inner.subscription.have());
          for (const look of follower.#looking) look();
        },
      },
    );
    const follower = new Follower(inner);
    return follower;
  }

  run(name: string, replicas: readonly DirectoryAddress[], signal: AbortSignal): Promise<void> {
    return runSubscriber(
      name,
      { replicas, subscribe: this.#follower.subscription },
      this.traffic,
      this.#follower,
      signal,
    );
  }

  /** Resolves as soon as the table is as wanted; looked at after each of its changes. */
  until(wanted: (table: Catalog) => boolean): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    const look = (): void => {
      if (!wanted(this.#follower.table)) return;
      this.#looking.delete(look);
      resolve();
    };
    this.#looking.add(look);
    look();
    return promise;
  }

  get connected(): boolean {
    return this.#follower.status().connected;
  }

  get position(): Position | null {
    return this.#follower.status().position;
  }

  get divergences(): number {
    return this.#follower.status().divergences;
  }

  /** The table that it has, as it would name it to a directory. */
  have(): Have {
    const have = this.#follower.subscription.have();
    if (have === null) throw new Error("Cannot tell which table it is: the directory is warming up");
    return have;
  }
}

type Have = NonNullable<ReturnType<Subscription["have"]>>;

/** So many tables are remembered, each with what is in its sectors. */
const TABLES_MAX = 500;

/** What the last tables looked like, by their hashes. */
export class KnownTables {
  readonly #byHash = new Map<string, Have>();

  add(have: Have | null): void {
    if (have?.hash === undefined) return;
    this.#byHash.set(have.hash, have);
    if (this.#byHash.size > TABLES_MAX) this.#byHash.delete(this.#byHash.keys().next().value as string);
  }

  /** What the table with that hash looked like. */
  get(hash: string | undefined): Pick<Have, "hash" | "sectors"> {
    return this.#byHash.get(hash ?? "") ?? { hash };
  }
}

/**
 * One that knows which table it would have, and has it not: a thousand tables of 100,000 instances do not fit into one
 * process. On the link it does what `Follower` does.
 */
export class LightFollower implements LinkHandler {
  readonly traffic = new Traffic();
  readonly #tables: KnownTables;
  #have: Have;
  /** It was sent a warming table, of which it would have kept more than was named: no position of the directory's. */
  #warming = false;
  /** Whether something of the table has come since the last connection. */
  followed = false;

  constructor(have: Have, tables: KnownTables) {
    this.#have = have;
    this.#tables = tables;
  }

  get subscription(): Subscription {
    return {
      services: null,
      have: () => (this.#warming ? null : { ...this.#have, ...this.#tables.get(this.#have.hash) }),
      holds: () => 0,
    };
  }

  run(name: string, replicas: readonly DirectoryAddress[], signal: AbortSignal): Promise<void> {
    return runSubscriber(name, { replicas, subscribe: this.subscription }, this.traffic, this, signal);
  }

  connected(): void {}

  disconnected(): void {
    this.followed = false;
  }

  message(message: LinkMessage): void {
    if (message.type === "warm") this.#warming = false;
    if (message.type !== "delta" && (message.type !== "snapshot" || !message.last)) return;
    if (message.type === "snapshot") this.#warming = message.warming;
    const { epoch, revision, hash = this.#have.hash } = message;
    this.#have = { epoch, revision, hash };
    this.followed = true;
  }
}

function runSubscriber(
  name: string,
  link: { readonly replicas: readonly DirectoryAddress[]; readonly subscribe: Subscription },
  traffic: Traffic,
  handler: LinkHandler,
  signal: AbortSignal,
): Promise<void> {
  const identity = { kind: "sherlock", name, id: `bench-${name}`, version: "0" } as const;
  const deps = { clock: systemClock, log: noLog, random: Math.random, handler, connect: traffic.connect };
  return runLink({ ...link, identity, token: null, tls: null }, deps, signal);
}
