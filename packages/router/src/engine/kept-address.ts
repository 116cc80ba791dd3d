import { plainName } from "../address/scope.ts";
import type { AddressSettings } from "../address/rules.ts";
import { type Dead, lifetimeOf } from "../queue/delivery.ts";
import { Dedupe } from "../ledger/dedupe.ts";
import { Queue } from "../queue/queue.ts";
import type { Moving, Storage } from "../queue/storage.ts";
import type { Subscription } from "../queue/subscription.ts";
import { Topic } from "../queue/topic.ts";
import type { From } from "../address/from.ts";
import type { Intake } from "./intake.ts";
import { isFull, limitOf, makeRoom, roomOf } from "./bounds.ts";
import type { Control } from "./notes/control.ts";
import { configOf, type OwnSettings } from "./notes/own-settings.ts";
import { allotAll, type Allotment, counting, pumpSeat, seated, seatPort } from "./allotment.ts";
import { type KeptDeps, type KeptIdentity, noCounts } from "./broker-deps.ts";
import { KeptSink, type SinkHost } from "./kept-sink.ts";
import type { Incoming, Sink, SinkPort, Source, SourcePort, Verdict } from "./ports.ts";

/** A queue or a topic with its senders and consumers. */
export class KeptAddress implements SinkHost {
  readonly id: number;
  readonly name: string;
  readonly kind: "queue" | "topic";
  readonly storage: Storage;
  readonly intake: Intake | null;
  readonly dedupe: Dedupe;
  readonly counters = noCounts();
  /** What is on its way to other processes, by the id of its move. */
  readonly moves = new Map<string, Moving>();
  readonly kept: Queue | Topic;
  readonly sinks = new Set<KeptSink<never>>();
  /** Consumers, with the links that they have. */
  readonly sources = new Map<Source, SourcePort>();
  /** The settings that were made by hand; null for none. An address with such settings is not forgotten. */
  own: OwnSettings | null = null;
  isGone = false;
  /** Since when there is nothing to keep it for; null while there is. */
  idleSinceMs: number | null = null;
  readonly #deps: KeptDeps;
  readonly #allotment: Allotment;
  #settings: AddressSettings;
  /** As the settings say. */
  readonly #config: ReturnType<typeof configOf>;
  /** Whether senders were given less than they could use, and wait for room. */
  #isTight = false;

  constructor({ id, name, kind }: KeptIdentity, settings: AddressSettings, deps: KeptDeps) {
    this.id = id;
    this.name = name;
    this.kind = kind;
    this.#settings = settings;
    this.storage = deps.storage;
    this.intake = deps.intake;
    this.dedupe = new Dedupe(settings.dedupeMs);
    this.#deps = deps;
    const bury = (dead: Dead): void => {
      this.counters.dead++;
      deps.bury(dead);
    };
    const deadLetters = { bury, expired: () => void this.counters.expired++ };
    this.#config = configOf(settings);
    const allot = kind === "queue" ? (deps.allot ?? allotAll) : allotAll;
    this.#allotment = allot(name, () => this.kept instanceof Queue && this.kept.reconsider());
    this.kept =
      kind === "queue" ? new Queue(this.#config, deps, deadLetters) : new Topic(this.#config, deps, deadLetters);
  }

  /** What holds for it now. */
  get settings(): AddressSettings {
    return this.#settings;
  }

  /** Goes by other settings from now on. */
  configure(settings: AddressSettings): void {
    this.#settings = settings;
    Object.assign(this.#config, configOf(settings));
    this.dedupe.windowMs = settings.dedupeMs;
    this.refreshSinks();
  }

  /** What the log has of it where a segment begins. */
  snapshot(): Control {
    const { id, name, kind, kept, dedupe, own, moves } = this;
    const more = { ...(own !== null && { own }), ...(!dedupe.isEmpty && { dedupe: dedupe.snapshot() }) };
    const going = moves.size > 0 && { moves: [...moves.values()] };
    return { is: "state", id, name, kind, ...kept.snapshot(), ...more, ...going };
  }

  openSink<Token>(port: SinkPort<Token>): Sink<Token> {
    const sink = new KeptSink<Token>(this, port);
    this.sinks.add(sink as unknown as KeptSink<never>);
    this.refreshSinks();
    return sink;
  }

  detachSink(sink: Sink<unknown>): void {
    this.sinks.delete(sink as unknown as KeptSink<never>);
    if (this.#isTight) this.refreshSinks();
  }

  /** @param has what it has from the beginning. */
  openQueueSource(queue: Queue, port: SourcePort, has: readonly number[] = []): Source {
    const seat = this.#allotment.join(port.member ?? null, seatPort(port));
    const consumer = queue.attach(seated(counting(port, this.counters), seat), has);
    return this.#source(port, {
      isHeld: () => !seat.isServed,
      isBurying: () => consumer.burials.isFull,
      lag: () => queue.messages - queue.unsettled,
      pump: () => pumpSeat(port, seat, () => queue.pump()),
      settle(sequence, outcome, appended) {
        seat.settled(outcome);
        queue.settle(consumer, sequence, outcome, appended);
      },
      detach() {
        seat.leave();
        queue.detach(consumer);
      },
    });
  }

  /** Copies of what waits in a queue. */
  openBrowser(queue: Queue, port: SourcePort): Source {
    const browser = queue.browse(counting(port, this.counters));
    return this.#source(port, {
      lag: () => queue.messages - queue.unsettled,
      pump: () => browser.pump(),
      settle: (_sequence, _outcome, appended) => appended(),
      detach: () => queue.endBrowsing(browser),
    });
  }

  /** @param ended called with whether the subscription ends with its link, when that does. */
  openTopicSource(
    topic: Topic,
    subscription: Subscription,
    port: SourcePort,
    ended: (isClosed: boolean) => void,
  ): Source {
    const mine = counting(port, this.counters);
    subscription.attach(mine);
    return this.#source(port, {
      isBurying: () => subscription.isBurying,
      lag: () => subscription.lag,
      pump: () => subscription.pump(),
      settle: (sequence, outcome, appended) => subscription.settle(sequence, outcome, appended),
      detach: (isClosed) => {
        // Another link has it by now.
        if (subscription.port !== mine) return;
        if (subscription.key === null) topic.end(subscription);
        else subscription.detach();
        ended(isClosed);
      },
    });
  }

  /** A subscription of its own for a link that keeps none. */
  subscribe(topic: Topic, from: From, port: SourcePort): Source {
    const subscription = topic.subscribe(from, port);
    return this.openTopicSource(topic, subscription, port, () => {});
  }

  take(message: Incoming, caller: string | null): Verdict {
    const { payload, keys } = message;
    const { kept, settings, counters } = this;
    const nowMs = this.#deps.nowMs();
    if (keys !== null && this.dedupe.has(keys, nowMs)) {
      counters.duplicates++;
      return null;
    }
    const ttlMs = lifetimeOf(message, this.#deps.wallMs());
    if (ttlMs < 0) {
      this.#expireAtOnce(message, nowMs);
      return null;
    }
    if (settings.overflow === "reject" && isFull(this, payload.length)) {
      return {
        outcome: "rejected",
        condition: "amqp:resource-limit-exceeded",
        description: `Cannot take a message at ${plainName(this.name)}: ${limitOf(this)}`,
      };
    }
    makeRoom(this, payload.length);
    if (keys !== null) this.dedupe.add(keys, nowMs);
    this.#allotment.note(kept.append({ acceptedAtMs: nowMs, ttlMs, keys, payload }), caller);
    counters.in++;
    return null;
  }

  allowance(sink: Sink<unknown>): number {
    const room = this.#deps.trouble() === null ? roomOf(this) : 0;
    this.#isTight = room !== Number.POSITIVE_INFINITY;
    if (!this.#isTight) return room;
    let others = 0;
    for (const other of this.sinks) if ((other as unknown) !== sink) others += other.port.credit;
    const fair = Math.max(1, Math.floor(room / this.sinks.size));
    return Math.max(0, Math.min(fair, room - others));
  }

  /** Tells the senders anew what they may send: there is more room, or less. */
  refreshSinks(): void {
    for (const sink of this.sinks) sink.refresh();
  }

  /** Why senders have no credit; null where they have. */
  get limitReason(): string | null {
    const trouble = this.#deps.trouble();
    if (trouble !== null) return trouble;
    return roomOf(this) <= 0 ? limitOf(this) : null;
  }

  /**
   * Whether it is an empty queue that nobody created or receives from: such a queue gives way to a service of its name.
   */
  get isUnfilled(): boolean {
    return this.kept instanceof Queue && this.own === null && this.sources.size === 0 && this.kept.messages === 0;
  }

  /** Whether there is nothing to keep it for. */
  get isUnused(): boolean {
    const { kept, own, sinks, sources } = this;
    if (sinks.size > 0 || sources.size > 0 || kept.messages > 0 || own !== null || !this.dedupe.isEmpty) return false;
    return kept instanceof Queue || ![...kept.subscriptions].some(({ key }) => key !== null);
  }

  /** Ends all links, and forgets the messages: the address is removed. */
  remove(): void {
    this.isGone = true;
    const why = ["amqp:resource-deleted", `${plainName(this.name)} was removed`] as const;
    for (const port of this.sources.values()) port.gone(...why);
    for (const { port } of this.sinks) port.gone(...why);
    this.kept.discard();
  }

  tick(nowMs: number): void {
    this.dedupe.prune(nowMs);
    if (this.#allotment.tick() && this.kept instanceof Queue) this.kept.reconsider();
    this.kept.expireDue();
    if (this.kept instanceof Topic) this.kept.trim();
    if (this.#isTight) this.refreshSinks();
    this.idleSinceMs = this.isUnused ? (this.idleSinceMs ?? nowMs) : null;
  }

  #source(
    port: SourcePort,
    end: {
      isHeld?(): boolean;
      isBurying?(): boolean;
      lag(): number;
      pump(): void;
      settle(sequence: number, outcome: Parameters<Source["settle"]>[1], appended: () => void): void;
      detach(isClosed: boolean): void;
    },
  ): Source {
    // A disk that is slow is no reason: it goes on in a moment.
    const isTroubled = (): boolean => this.#deps.trouble() !== null;
    const source: Source = {
      name: this.name,
      isTopic: this.kind === "topic",
      get lag() {
        return end.lag();
      },
      get isHeld() {
        return end.isHeld?.() ?? false;
      },
      get isBurying() {
        return isTroubled() && end.isBurying?.() === true;
      },
      pump: () => end.pump(),
      settle: (sequence, outcome, confirmed) => {
        end.settle(sequence, outcome, confirmed === undefined ? () => {} : () => this.storage.whenDurable(confirmed));
        if (this.#isTight) this.refreshSinks();
      },
      detach: (isClosed) => {
        if (!this.sources.delete(source)) return;
        end.detach(isClosed);
        if (this.#isTight) this.refreshSinks();
      },
    };
    this.sources.set(source, port);
    return source;
  }

  /** Handles a message that had expired before it came: it is counted, and kept where expired messages are kept. */
  #expireAtOnce({ payload, keys }: Incoming, nowMs: number): void {
    this.counters.in++;
    this.counters.expired++;
    if (keys !== null) this.dedupe.add(keys, nowMs);
    if (this.settings.expired === "drop") return;
    const record = { address: this.id, sequence: 0, acceptedAtMs: nowMs, ttlMs: 0, keys: null, payload };
    this.counters.dead++;
    this.#deps.bury({ sequence: 0, record, reason: "expired" });
  }
}
