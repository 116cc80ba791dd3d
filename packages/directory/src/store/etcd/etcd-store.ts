import { z } from "zod";
import {
  backoff,
  type Chance,
  type Clock,
  type Logger,
  type ProblemBoard,
  systemChance,
  VERSION,
} from "@datawire/runtime";
import { failedAt } from "../../problems/failed-at.ts";
import { LeftOut } from "../../problems/left-out.ts";
import { type Outage, type Store, type StoreContent, StoreError, type VersionedRecord } from "../contract.ts";
import { parseJson } from "../parse-json.ts";
import type { Replica } from "../replication.ts";
import { type Entry, type Etcd, EtcdClient, type TxnResult } from "./etcd-client.ts";
import { EtcdError } from "./etcd-error.ts";
import { EtcdReplication } from "./etcd-replication.ts";
import { Following } from "./following.ts";
import { type EtcdConfig, Gateway } from "./gateway.ts";
import { Keys } from "./keys.ts";
import { readEntries } from "./news.ts";
import { type Beat, Presence, presenceTtlMs, runBeats } from "./presence.ts";

/** Where in etcd a directory keeps its records, and as whom. */
export interface EtcdStoreConfig extends EtcdConfig {
  /** The prefix of all keys of this dstack; several can share one etcd with different prefixes. */
  readonly prefix: string;
  /**
   * This directory's own address, for the others to show; null for a command, which is not a directory and stays
   * invisible to them.
   */
  readonly address: string | null;
  /** How long a Watson that is out of sight keeps its instances. */
  readonly leaseMs: number;
}

/** What a store in etcd works with. */
export interface EtcdStoreDeps {
  readonly clock: Clock;
  readonly log: Logger;
  /** What an operator should see; left out by a command, which says so itself. */
  readonly board?: Pick<ProblemBoard, "set">;
  /** Default: the system's. */
  readonly chance?: Chance;
}

/** What etcd takes in one transaction by default (`--max-txn-ops`). */
const WRITES_MAX = 128;
/** The form of the keys; a store of a newer form is refused. */
const FORM = 1;
/** Waits between attempts to reach etcd at the start. */
const WAIT = { baseMs: 100, capMs: 2_000 } as const;

/**
 * Opens the store that directories share: etcd, under one prefix. Waits for etcd for as long as it takes, and says so.
 * @throws StoreError `damaged` for what a newer version wrote, `unavailable` once the signal has aborted.
 */
export function openEtcdStore(config: EtcdStoreConfig, deps: EtcdStoreDeps, signal: AbortSignal): Promise<EtcdStore> {
  return openStoreOver(new EtcdClient(new Gateway(config, deps)), config, { deps, signal });
}

/** As `openEtcdStore`, over a client that is there already, and is closed with the store. */
export async function openStoreOver(
  client: Etcd,
  config: Omit<EtcdStoreConfig, keyof EtcdConfig>,
  { deps: given, signal }: { readonly deps: EtcdStoreDeps; readonly signal: AbortSignal },
): Promise<EtcdStore> {
  const deps = { chance: systemChance, ...given };
  const keys = new Keys(config.prefix);
  const id = deps.chance.id();
  const replica: Replica = { id, address: config.address ?? "", version: VERSION, startedMs: deps.clock.nowMs() };
  const presence = new Presence(client, { key: keys.of("replicas", id), replica, leaseMs: config.leaseMs });
  const open = async (): Promise<void> => {
    await checkForm(client, keys);
    if (config.address !== null) await presence.renew();
  };
  try {
    await reach(open, { ...deps, signal });
  } catch (error) {
    await client.close();
    throw error;
  }
  const { address, leaseMs } = config;
  return new EtcdStore({ ...deps, client, keys, presence, replica, leaseMs, isSeen: address !== null });
}

const NO_BOARD: Pick<ProblemBoard, "set"> = { set: () => {} };

interface ReachDeps extends Pick<EtcdStoreDeps, "clock" | "log"> {
  readonly chance: Chance;
  readonly signal: AbortSignal;
}

/** Tries until it succeeds. */
async function reach<T>(attempt: () => Promise<T>, { clock, log, chance, signal }: ReachDeps): Promise<T> {
  let wait = backoff({ ...WAIT, random: () => chance.number() });
  let said = "";
  for (;;) {
    try {
      return await attempt();
    } catch (error) {
      if (!(error instanceof EtcdError)) throw error;
      if (signal.aborted) throw unavailable(error.message, error);
      if (error.message !== said) log.error("Etcd is out of reach, waiting for it", { reason: error.message });
      said = error.message;
    }
    const { delayMs, backoff: next } = wait.next();
    wait = next;
    await clock.sleep(delayMs, signal);
    if (signal.aborted) throw unavailable(said);
  }
}

async function checkForm(client: Etcd, keys: Keys): Promise<void> {
  const key = keys.of("format", "directory");
  const result = await client.swap([{ key, value: JSON.stringify({ form: FORM }), expected: 0 }]);
  if (result.state === "written") return;
  const text = result.entries[0]?.value ?? "null";
  const found = z.object({ form: z.number().max(FORM) }).safeParse(parseJson(text));
  if (found.success) return;
  throw new StoreError(
    "damaged",
    `Cannot use ${keys.root} in etcd: it is of ${text}, and this version knows form ${FORM}`,
  );
}

interface Parts extends EtcdStoreDeps {
  readonly client: Etcd;
  readonly chance: Chance;
  readonly keys: Keys;
  readonly presence: Presence;
  readonly replica: Replica;
  readonly leaseMs: number;
  readonly isSeen: boolean;
}

/** A store that directories share. */
export class EtcdStore implements Store {
  readonly kind = "etcd";
  readonly writesMax = WRITES_MAX;
  readonly replication: EtcdReplication;
  readonly #parts: Parts;
  readonly #following: Following;
  readonly #closing = new AbortController();
  #listener: (records: readonly VersionedRecord[]) => void = () => {};
  #outage: Outage | null = null;
  readonly #unreadable: LeftOut;
  readonly #newsSource: string;
  #watching = false;
  #tasks: Promise<unknown>[] = [];

  constructor(parts: Parts) {
    const { client, keys, clock, log, chance, presence, replica, leaseMs } = parts;
    this.#parts = parts;
    this.#unreadable = new LeftOut(`etcd ${keys.root}`, { log, board: parts.board ?? NO_BOARD });
    this.#newsSource = `news of etcd ${keys.root}`;
    this.#following = new Following(keys.root, {
      client,
      clock,
      log,
      chance,
      news: (entries) => this.#take(entries),
      lost: (error) => this.#lost(error),
      found: () => void (this.#watching = true),
    });
    this.replication = new EtcdReplication(
      { replica, presenceMs: presenceTtlMs(leaseMs) },
      { following: this.#following, keys, presence, clock, log, chance, start: () => this.#start() },
    );
  }

  get outage(): Outage | null {
    return this.#outage;
  }

  async load(): Promise<StoreContent> {
    const { keys, clock, log, chance } = this.#parts;
    const entries = await reach(() => this.#following.load(), { clock, log, chance, signal: this.#closing.signal });
    const read = readEntries(entries, keys);
    if (this.#tasks.length === 0) this.replication.load(read);
    const { records, registrations, unreadable } = read;
    return { records, registrations: registrations.flatMap(({ value }) => value ?? []), unreadable };
  }

  async commit(writes: readonly VersionedRecord[]): Promise<number> {
    if (this.#outage !== null) throw unavailable(this.#outage.reason);
    if (writes.length > WRITES_MAX)
      throw new StoreError(
        "unavailable",
        `Cannot write ${writes.length} records at once: etcd takes ${WRITES_MAX}; change fewer things at once`,
      );
    const swaps = writes.map(({ key, value, version: expected }) => ({
      key: this.#parts.keys.of("records", key),
      value: value === null ? null : JSON.stringify(value),
      expected,
    }));
    let result: TxnResult;
    try {
      result = await this.#following.swap(swaps);
    } catch (error) {
      if (!(error instanceof EtcdError)) throw error;
      if (error.code !== "uncertain") throw unavailable(error.message, error);
      throw new StoreError("uncertain", `Cannot tell whether etcd has written the change: ${error.message}`, {
        cause: error,
      });
    }
    if (result.state === "written") return result.revision;
    throw new StoreError("conflict", "Cannot write: another directory has changed the same since");
  }

  follow(listener: (records: readonly VersionedRecord[]) => void): void {
    this.#listener = listener;
    this.#start();
  }

  async close(): Promise<void> {
    this.#closing.abort();
    await Promise.all(this.#tasks);
    await this.#parts.client.close();
  }

  #start(): void {
    if (this.#tasks.length > 0) return;
    const { presence, clock, isSeen } = this.#parts;
    const { signal } = this.#closing;
    const beaten = (beat: Beat): void => {
      if (beat.state === "failed") return this.#lost(beat.error);
      if (beat.state === "remade") {
        this.#watching = false;
        this.#following.distrust();
      }
      this.#following.reconsider();
      if (this.#watching) this.#found();
    };
    this.#tasks = [this.#following.run(signal), ...(isSeen ? [runBeats(presence, { clock, beaten }, signal)] : [])];
  }

  #take(entries: readonly Entry[]): void {
    const { log, keys, board = NO_BOARD } = this.#parts;
    const read = readEntries(entries, keys);
    for (const { key } of entries) this.#unreadable.settle(key);
    for (const { key, reason } of read.unreadable) this.#unreadable.add(key, reason);
    try {
      if (read.records.length > 0) this.#listener(read.records);
      this.replication.take(read);
      board.set(this.#newsSource, []);
    } catch (error) {
      // The watch goes on: what fails at one piece of news must not keep out all that follow it.
      log.error("News of another directory could not be taken", { keys: entries.map(({ key }) => key), error });
      board.set(this.#newsSource, [failedAt(`news in etcd below ${keys.root}`, error)]);
    }
  }

  #lost({ message }: EtcdError): void {
    this.#watching = false;
    this.#following.abandon();
    if (this.#outage !== null) return;
    const { clock, log } = this.#parts;
    this.#outage = { sinceMs: clock.nowMs(), reason: message };
    log.error("Etcd is out of reach, serving the last table and taking no changes", { reason: message });
  }

  #found(): void {
    if (this.#outage === null) return;
    this.#outage = null;
    this.#parts.log.info("Etcd is back, taking changes again");
  }
}

function unavailable(reason: string, cause?: unknown): StoreError {
  return new StoreError("unavailable", `Cannot write: etcd is out of reach (${reason})`, { cause });
}
