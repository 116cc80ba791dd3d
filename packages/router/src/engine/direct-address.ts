import type { StallReason } from "@datawire/protocol";
import { SequenceMap } from "@datawire/amqp";
import { plainName } from "../address/scope.ts";
import { isExpired, lifetimeOf, type Outcome } from "../queue/delivery.ts";
import { allotAll, type Allot, type Allotment, pumpSeat, type Seat, seatPort } from "./allotment.ts";
import { type KeptDeps, noCounts } from "./broker-deps.ts";
import {
  type Incoming,
  MESSAGE_OVERHEAD_BYTES,
  type Room,
  type Sink,
  type SinkPort,
  type Source,
  type SourcePort,
  type Verdict,
} from "./ports.ts";

/** A message on its way from a sender to a consumer, through nothing. */
interface Passing {
  readonly sequence: number;
  payload: Uint8Array;
  readonly atMs: number;
  readonly ttlMs: number;
  /** Tells the sender; null once that is gone, or never wanted to know. */
  answer: ((outcome: Outcome) => void) | null;
  /** Where it takes room while it waits; null where it does not wait, or its sender had credit for it. */
  room: Room | null;
}

interface Consumer {
  readonly port: SourcePort;
  readonly seat: Seat;
  readonly unsettled: SequenceMap<Passing>;
}

/** What identifies an address that holds nothing. */
export interface DirectIdentity {
  readonly name: string;
  readonly kind: "direct" | "service";
}

type Times = Pick<KeptDeps, "nowMs" | "wallMs">;

/** An address that stores nothing: senders have credit while consumers have, and get the outcomes of these. */
export class DirectAddress {
  readonly name: string;
  readonly kind: DirectIdentity["kind"];
  readonly counters = noCounts();
  readonly #nowMs: () => number;
  readonly #wallMs: () => number;
  readonly #allotment: Allotment;
  readonly #sinks = new Set<{ refresh(allowed: number): void }>();
  readonly #consumers: Consumer[] = [];
  /**
   * Messages for which another sender had used up the consumers' credit by the time they came; never more than senders
   * had credit for.
   */
  readonly #parked: Passing[] = [];
  #turn = 0;
  #last = 0;

  constructor({ name, kind }: DirectIdentity, { nowMs, wallMs }: Times, allot: Allot = allotAll) {
    this.name = name;
    this.kind = kind;
    this.#nowMs = nowMs;
    this.#wallMs = wallMs;
    this.#allotment = allot(name, () => this.#pump());
  }

  get senders(): number {
    return this.#sinks.size;
  }

  get consumers(): number {
    return this.#consumers.length;
  }

  /** Why senders have no credit; null where a consumer takes one more. */
  get closedBy(): StallReason | null {
    if (this.#consumers.some(({ port, seat }) => seat.isServed && port.wants())) return null;
    if (this.#consumers.length === 0) return "no-consumer";
    return this.#consumers.every(({ seat }) => !seat.isServed) ? "held" : "no-credit";
  }

  get unsettled(): number {
    return this.#consumers.reduce((sum, { unsettled }) => sum + unsettled.size, 0);
  }

  openSink<Token>(port: SinkPort<Token>): Sink<Token> {
    const mine = new Set<Passing>();
    const member = {
      refresh(allowed: number): void {
        if (allowed < port.credit || port.credit * 2 < allowed || (port.credit === 0 && allowed > 0))
          port.setCredit(allowed);
      },
    };
    this.#sinks.add(member);
    const closedBy = (): StallReason | null => this.closedBy;
    const sink: Sink<Token> = {
      name: this.name,
      get reason() {
        return closedBy();
      },
      wantsIds: false,
      isClosed: false,
      isGone: false,
      offer: (message: Incoming, token: Token): Verdict => {
        const { payload } = message;
        const atMs = this.#nowMs();
        const ttlMs = lifetimeOf(message, this.#wallMs());
        this.counters.in++;
        if (ttlMs < 0) return this.#tooLate();
        const passing: Passing = {
          sequence: ++this.#last,
          payload,
          ttlMs,
          atMs,
          answer: null,
          room: null,
        };
        passing.answer = (outcome) => {
          mine.delete(passing);
          port.settled(token, outcome);
        };
        mine.add(passing);
        this.#allotment.note(passing.sequence, port.caller ?? null);
        if (!this.#pass(passing) && !this.#park(passing, port.room ?? null)) {
          mine.delete(passing);
          return this.#noRoom();
        }
        this.#refresh();
        return null;
      },
      refresh: () => this.#refresh(),
      detach: () => {
        this.#sinks.delete(member);
        // Its room is gone with it.
        if (port.room !== undefined) this.#release((passing) => mine.has(passing));
        for (const passing of mine) passing.answer = null;
        this.#refresh();
      },
    };
    this.#refresh();
    return sink;
  }

  openSource(port: SourcePort): Source {
    const seat = this.#allotment.join(port.member ?? null, seatPort(port));
    const consumer: Consumer = { port, seat, unsettled: new SequenceMap() };
    this.#consumers.push(consumer);
    this.#pump();
    return {
      name: this.name,
      isTopic: false,
      lag: null,
      get isHeld() {
        return !seat.isServed;
      },
      pump: () => pumpSeat(port, seat, () => this.#pump()),
      settle: (sequence, outcome, confirmed) => {
        const passing = consumer.unsettled.get(sequence);
        consumer.unsettled.delete(sequence);
        seat.settled(outcome);
        passing?.answer?.(outcome);
        confirmed?.();
      },
      detach: () => {
        const at = this.#consumers.indexOf(consumer);
        if (at !== -1) this.#consumers.splice(at, 1);
        seat.leave();
        for (const sequence of consumer.unsettled.keys())
          consumer.unsettled.get(sequence)?.answer?.({ outcome: "modified", failed: true, undeliverableHere: false });
        consumer.unsettled.clear();
        this.#pump();
        if (this.#consumers.some((other) => other.seat.isServed)) return;
        // Nobody is there any more who could say something of it.
        this.#release(() => true);
      },
    };
  }

  /** Does what is due by time. @returns whether anybody uses it. */
  tick(): boolean {
    this.#expireDue();
    if (this.#allotment.tick()) this.#pump();
    return this.#sinks.size > 0 || this.#consumers.length > 0;
  }

  /** An expired message goes to nobody. Its sender is told, as there is nobody else to say what became of it. */
  #tooLate(): Verdict {
    this.counters.expired++;
    const description = `Cannot pass a message on at ${plainName(this.name)}: its absolute-expiry-time was over before it came`;
    return { outcome: "rejected", condition: TOO_LATE, description };
  }

  /** Ends what has waited for longer than its time. */
  #expireDue(): void {
    const nowMs = this.#nowMs();
    const isOver = (passing: Passing): boolean => isExpired(passing, passing.atMs, nowMs);
    const count = this.#parked.filter(isOver).length;
    if (count === 0) return;
    this.counters.expired += count;
    const reason = `Cannot pass a message on at ${plainName(this.name)}: its time was over before a consumer took it`;
    this.#release(isOver, { outcome: "rejected", condition: TOO_LATE, reason });
    this.#refresh();
  }

  #pump(): void {
    this.#expireDue();
    // A message whose target has no credit does not hold up those for other targets.
    const parked = this.#parked.splice(0);
    for (const passing of parked) {
      if (this.#pass(passing)) unparked(passing);
      else this.#parked.push(passing);
    }
    for (const { port } of this.#consumers) if (port.wants()) port.exhausted();
    this.#refresh();
  }

  /** Keeps a message until a consumer takes it. @returns false where there is no room. */
  #park(passing: Passing, room: Room | null): boolean {
    if (room?.take(passing.payload.length + MESSAGE_OVERHEAD_BYTES) === false) return false;
    passing.room = room;
    // It is in the buffer of the connection, which is used again.
    passing.payload = Uint8Array.from(passing.payload);
    this.#parked.push(passing);
    return true;
  }

  /** Tells the senders of messages that wait what became of these. */
  #release(which: (passing: Passing) => boolean, outcome: Outcome = { outcome: "released" }): void {
    for (const passing of this.#parked.splice(0)) {
      if (!which(passing)) this.#parked.push(passing);
      else {
        unparked(passing);
        passing.answer?.(outcome);
      }
    }
  }

  #noRoom(): Verdict {
    const description = `Cannot pass a message on at ${plainName(this.name)}: no consumer has credit, and what waits for some takes all room`;
    return { outcome: "rejected", condition: "amqp:resource-limit-exceeded", description };
  }

  #pass(passing: Passing): boolean {
    const consumers = this.#consumers;
    for (let tried = 0; tried < consumers.length; tried++) {
      const consumer = consumers[this.#turn++ % consumers.length] as Consumer;
      const { port, seat } = consumer;
      if (!seat.isServed || !port.wants() || (seat.isPicky && !seat.mayTake(passing))) continue;
      seat.moved();
      const { sequence, payload, atMs, ttlMs } = passing;
      const record = { address: 0, sequence, acceptedAtMs: atMs, ttlMs, keys: null, payload };
      this.counters.out++;
      consumer.unsettled.set(sequence, passing);
      consumer.port.deliver({ sequence, record, failures: 0, missed: 0 });
      return true;
    }
    return false;
  }

  #refresh(): void {
    let credit = -this.#parked.length;
    for (const { port, seat } of this.#consumers) if (seat.isServed && port.wants()) credit += port.credit;
    const allowed = credit > 0 ? Math.max(1, Math.floor(credit / this.#sinks.size)) : 0;
    for (const sink of this.#sinks) sink.refresh(allowed);
  }
}

const TOO_LATE = "amqp:precondition-failed";

function unparked(passing: Passing): void {
  passing.room?.give(passing.payload.length + MESSAGE_OVERHEAD_BYTES);
  passing.room = null;
}
