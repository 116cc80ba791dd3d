import { isReserved } from "../address/address.ts";
import { deadNameOf, isDeadName, plainName } from "../address/scope.ts";
import type { AddressSettings, Treatment } from "../address/rules.ts";
import { Log } from "../log/log.ts";
import type { Place } from "../log/log-deps.ts";
import { isFull } from "../log/reserve.ts";
import { encodeControl, type MessageRecord } from "../log/record.ts";
import type { Dead } from "../queue/delivery.ts";
import { MemoryStorage } from "../queue/memory-storage.ts";
import { Queue } from "../queue/queue.ts";
import { type BrokerConfig, type BrokerDeps, type KeptIdentity, noCounts, steadyTime } from "./broker-deps.ts";
import type { Control } from "./notes/control.ts";
import { DirectAddress } from "./direct-address.ts";
import { DirectAddresses } from "./direct-addresses.ts";
import { Durables } from "./durables.ts";
import { KeptAddress } from "./kept-address.ts";
import { KeptAddresses } from "./kept-addresses.ts";
import { Intake } from "./intake.ts";
import { LogStorage } from "./log-storage.ts";
import { type OwnSettings, withOwn } from "./notes/own-settings.ts";
import type { Sink, SinkPort, Source, SourcePort, SourceRequest } from "./ports.ts";
import { otherKind, Refused, requireKind, requireTakes, type Taken } from "./refused.ts";
import { Restoring } from "./restoring.ts";

const RETRY_MS = 1_000;
const ADDRESSES_MAX = 100_000;
/** What a topic keeps that is in memory for one link. */
const IN_MEMORY = { ageMs: 600_000, bytes: 2 ** 24 } as const;
/** How many bytes may be on their way to the disk where no reserve is kept on it. */
const BACKLOG_BYTES_MAX = 16 * 2 ** 20;

/** All addresses of a router, and the log that keeps them. */
export class Broker {
  readonly #config: BrokerConfig;
  readonly #deps: BrokerDeps;
  readonly log: Log;
  readonly intake: Intake;
  readonly durables = new Durables(this, (value) => this.#append(value));
  /** The time that messages are judged by, milliseconds since 1970. */
  readonly nowMs: () => number;
  /** What addresses had counted that are gone. */
  readonly retired = noCounts();
  readonly #kept = new KeptAddresses(this.retired);
  readonly #direct = new DirectAddresses(this.retired);
  #lastId = 0;
  #trouble: string | null = null;

  private constructor(config: BrokerConfig, deps: BrokerDeps) {
    this.#config = config;
    this.#deps = deps;
    this.nowMs = steadyTime(deps.clock);
    this.log = new Log(config.log, {
      disk: deps.disk,
      sleep: (ms, signal) => deps.clock.sleep(ms, signal),
      random32: deps.random32,
      snapshot: () => this.#snapshot(),
      relocate: (record, place) => this.#relocate(record, place),
      onTrouble: (error) => this.#troubled(error),
      onHousekeepingFailure: (error) => deps.onFault("segments", error),
    });
    this.intake = new Intake((config.log.reserveBytes ?? 0) / 2 || BACKLOG_BYTES_MAX, {
      backlogBytes: () => this.log.backlogBytes,
      isTroubled: () => this.#trouble !== null,
      whenDurable: (callback) => this.log.whenDurable(callback),
      later: deps.later,
    });
  }

  /** Opens the log, and has every address as it was. */
  static async open(config: BrokerConfig, deps: BrokerDeps): Promise<Broker> {
    const broker = new Broker(config, deps);
    const host = {
      make: (identity: KeptIdentity, own: OwnSettings | null) => broker.#restore(identity, own),
      configure: (address: KeptAddress, own: OwnSettings) => broker.#configure(address, own),
      forget: (address: KeptAddress) => broker.#kept.forget(address),
    };
    const restoring = new Restoring(host, broker.nowMs());
    await broker.log.restore(restoring);
    restoring.end(broker.log);
    return broker;
  }

  /** Why nothing can be accepted; null where it can. */
  get trouble(): string | null {
    return this.#trouble;
  }

  get kept(): Iterable<KeptAddress> {
    return this.#kept;
  }

  get direct(): Iterable<DirectAddress> {
    return this.#direct;
  }

  find(name: string): KeptAddress | DirectAddress | null {
    return this.#kept.get(name) ?? this.#direct.get(name);
  }

  /**
   * Takes a sender to an address.
   * @throws Refused
   */
  openSink<Token>(name: string, capability: "queue" | "topic" | null, port: SinkPort<Token>): Sink<Token> {
    return this.#address(name, capability).openSink(port);
  }

  /**
   * Takes a consumer to an address.
   * @throws Refused
   */
  openSource(request: SourceRequest, port: SourcePort): Source {
    const { name, capability, from, subscription: key, isCopy } = request;
    const address = this.#address(name, capability);
    if (address instanceof DirectAddress) return address.openSource(port);
    const { kept } = address;
    if (kept instanceof Queue) return isCopy ? address.openBrowser(kept, port) : address.openQueueSource(kept, port);
    if (key === null) return address.subscribe(kept, from ?? { at: "last" }, port);
    return this.durables.open(address, kept, key, request, port);
  }

  /** What an address is, or would be. @throws Refused where there can be none. */
  kindOf(name: string, capability: "queue" | "topic" | null): Taken["kind"] {
    return this.find(name)?.kind ?? requireTakes(name, this.#treat(name, capability), this.#bound()).kind;
  }

  /** A queue, made where there is none. @throws Refused */
  queue(name: string): KeptAddress {
    const address = this.keeping(name);
    if (address.kept instanceof Queue) return address;
    throw new Refused("amqp:not-allowed", `Cannot use ${plainName(name)} for that: it is no queue`);
  }

  /** An address that keeps messages, made where there is none. @throws Refused */
  keeping(name: string): KeptAddress {
    const address = this.#address(name, null);
    if (address instanceof KeptAddress) return address;
    throw new Refused("amqp:not-allowed", `Cannot use ${plainName(name)} for that: it keeps no messages`);
  }

  /**
   * Makes an address that stays until it is removed.
   * @throws Refused where there is one, or a rule says that it is something else.
   */
  create(name: string, kind: KeptIdentity["kind"], own: OwnSettings): KeptAddress {
    if (this.find(name) !== null)
      throw new Refused("amqp:precondition-failed", `Cannot create ${plainName(name)}: it is there already`);
    const taken = requireTakes(name, this.#treat(name, kind), this.#bound(), true);
    if (taken.kind === kind) return this.#make(name, kind, taken.settings, own);
    throw otherKind(name, kind, taken.kind);
  }

  /** Changes the settings of an address, at once and for good; from then on it stays until it is removed. */
  configure(address: KeptAddress, own: OwnSettings): void {
    this.#configure(address, own);
    if (address.id > 0) this.#append({ is: "own", id: address.id, own });
  }

  #configure(address: KeptAddress, own: OwnSettings): void {
    address.own = own;
    address.configure(withOwn(address.name, this.#treat(address.name).settings, own));
  }

  /** Makes an address that is nobody's but who knows its name, in memory. */
  makeTemporary(name: string, kind: KeptIdentity["kind"] = "queue"): void {
    this.#make(name, kind, { ...this.#treat(name).settings, persist: false, create: true, retention: IN_MEMORY });
  }

  /** Takes an address away, with its messages. @returns whether it was there. */
  remove(name: string): boolean {
    const address = this.#kept.get(name);
    if (address === undefined) return false;
    address.remove();
    this.#kept.forget(address);
    if (address.id > 0) this.#append({ is: "removed", id: address.id });
    return true;
  }

  /** Does what is due by time; once a second. */
  tick(): void {
    for (const name of this.#kept.tick(this.nowMs())) this.remove(name);
    this.#direct.tick();
  }

  async close(): Promise<void> {
    await this.log.close();
  }

  #address(name: string, capability: "queue" | "topic" | null): KeptAddress | DirectAddress {
    const known = this.find(name);
    const treatment = this.#treat(name, capability);
    if (treatment.kind === "service" && known instanceof KeptAddress && known.isUnfilled) this.remove(name);
    else if (known !== null) return requireKind(known, capability);
    const taken = requireTakes(name, treatment, this.#bound());
    const { kind, settings } = requireKind({ name, ...taken }, capability);
    if (kind === "direct" || kind === "service") {
      const { clock, allot } = this.#deps;
      const direct = new DirectAddress({ name, kind }, { nowMs: this.nowMs, wallMs: () => clock.nowMs() }, allot);
      this.#direct.add(direct);
      if (kind === "service") this.#deps.serviceMade?.();
      return direct;
    }
    return this.#make(name, kind, settings);
  }

  /** How many addresses there may be; null where there are fewer. Those that nothing keeps make room before their time. */
  #bound(): number | null {
    const { addressesMax = ADDRESSES_MAX } = this.#config;
    const isReached = (): boolean => this.#kept.size + this.#direct.size >= addressesMax;
    if (isReached()) for (const name of this.#kept.unused()) this.remove(name);
    if (!isReached()) return null;
    this.#deps.crowded?.();
    return addressesMax;
  }

  /** Rules are about addresses as those call them to whom they belong. */
  #treat(name: string, capability: "queue" | "topic" | null = null): Treatment {
    return this.#config.rules.treat(plainName(name), capability, this.#deps.isService?.(name) ? "service" : null);
  }

  #make(
    name: string,
    kind: KeptIdentity["kind"],
    settings: AddressSettings,
    own: OwnSettings | null = null,
  ): KeptAddress {
    if (!settings.persist) return this.#add({ id: 0, name, kind }, settings, own);
    const id = ++this.#lastId;
    // Before it is known: a snapshot that is due would have it, and so would this record.
    this.#append({ is: "address", id, name, kind, ...(own !== null && { own }) });
    return this.#add({ id, name, kind }, settings, own);
  }

  #restore(identity: KeptIdentity, own: OwnSettings | null): KeptAddress {
    const known = this.#kept.ofId(identity.id);
    if (known !== undefined) return known;
    this.#lastId = Math.max(this.#lastId, identity.id);
    return this.#add(identity, this.#treat(identity.name).settings, own);
  }

  #add({ id, name, kind }: KeptIdentity, settings: AddressSettings, own: OwnSettings | null): KeptAddress {
    const { clock, later, onFault } = this.#deps;
    const address: KeptAddress = new KeptAddress({ id, name, kind }, withOwn(name, settings, own), {
      storage: id > 0 ? new LogStorage(this.log, id) : new MemoryStorage(),
      nowMs: this.nowMs,
      wallMs: () => clock.nowMs(),
      later,
      onUnreadable(sequence, error, retry) {
        onFault(`message ${sequence} of ${name}`, error);
        clock.setTimer(RETRY_MS, retry);
      },
      bury: (dead) => this.#bury(name, dead),
      intake: id > 0 ? this.intake : null,
      pace: this.intake,
      trouble: () => (id > 0 ? this.#trouble : null),
      allot: this.#deps.allot,
    });
    address.own = own;
    this.#kept.add(address);
    return address;
  }

  #bury(from: string, { record, reason }: Dead): void {
    if (isDeadName(from) || isReserved(from)) return;
    const name = deadNameOf(from);
    const address = this.#kept.get(name) ?? this.#make(name, "queue", { ...this.#treat(name).settings, create: true });
    const nowMs = this.nowMs();
    const payload = this.#deps.annotate(record.payload, { reason, from: plainName(from), atMs: nowMs });
    address.kept.append({ acceptedAtMs: nowMs, ttlMs: 0, keys: null, payload });
    address.counters.in++;
  }

  #append(value: Control): void {
    this.log.record(encodeControl(value));
  }

  #snapshot(): Buffer[] {
    return [...this.#kept.logged].map((address) => encodeControl(address.snapshot()));
  }

  #relocate(record: MessageRecord, { segment, offset, length }: Place): void {
    const address = this.#kept.ofId(record.address);
    const now = address?.kept.placeOf(record.sequence);
    if (address === undefined || now?.segment !== segment || now.offset !== offset) return;
    // The bytes are those of a window that moves on, and appending copies them.
    const place = this.log.message(record, true);
    address.kept.moved(record.sequence, place);
    this.log.release(segment, length);
  }

  #troubled(error: unknown): void {
    const before = this.#trouble;
    this.#trouble = error === null ? null : isFull(error) ? "disk-full" : "disk";
    this.#deps.onTrouble(error);
    if (before === this.#trouble) return;
    this.intake.refresh();
    for (const address of this.#kept) address.refreshSinks();
  }
}
