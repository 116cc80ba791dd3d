import type { MessageRecord } from "../log/record.ts";
import type { ConsumerPort, Outcome } from "../queue/delivery.ts";
import type { Member, SourcePort } from "./ports.ts";

/** What an allotment needs to know of a consumer. */
export interface SeatPort {
  /** Whether it takes one more. */
  wants(): boolean;
  /** How many messages it has and has not settled. */
  readonly unsettled: number;
  /** Whether it comes from the machine of the router; not, where it is left out. */
  readonly isLocal?: boolean;
}

/** A consumer's part in what is shared out. */
export interface Seat {
  /** Whether it may get anything at all: a version that is held gets nothing. */
  readonly isServed: boolean;
  /** Whether it has to look at each message, as not all are for it. */
  readonly isPicky: boolean;
  /** Whether a message may go to it now. */
  mayTake(record: Pick<MessageRecord, "sequence" | "payload">): boolean;
  /** What it said of a message. */
  settled(outcome: Outcome): void;
  /** It was given a message, or gave credit. */
  moved(): void;
  leave(): void;
}

/** Decides which consumer gets which message of one address, by the routes of the service of that name. */
export interface Allotment {
  /** @param member null for one that says neither version nor instance: it belongs to the service file of its machine, else to the primary. */
  join(member: Member | null, port: SeatPort): Seat;
  /** Who has sent a message, as long as routes ask for that. */
  note(sequence: number, caller: string | null): void;
  /**
   * Looks who has been without credit for so long that others take its share.
   * @returns whether others may take now what they could not before.
   */
  tick(): boolean;
}

/** Makes the allotment of an address. @param reconsider called when others may take now what they could not before. */
export type Allot = (name: string, reconsider: () => void) => Allotment;

/** Where nothing is routed: everybody may have everything. */
export const allotAll: Allot = () => ALL;

const SEAT: Seat = { isServed: true, isPicky: false, mayTake: () => true, settled() {}, moved() {}, leave() {} };
const ALL: Allotment = { join: () => SEAT, note() {}, tick: () => false };

/** A consumer, as an allotment sees it. */
export function seatPort(port: SourcePort): SeatPort {
  return {
    wants: () => port.wants(),
    get unsettled() {
      return port.unsettled ?? 0;
    },
    isLocal: port.isLocal === true,
  };
}

/** A consumer that takes what is allotted to it, and nothing else. */
export function seated(port: SourcePort, seat: Seat): ConsumerPort {
  const picky: NonNullable<ConsumerPort["filter"]> = (record) =>
    (port.filter === null || port.filter(record)) && seat.mayTake(record);
  return {
    wants: () => seat.isServed && port.wants(),
    get filter() {
      return seat.isPicky ? picky : port.filter;
    },
    deliver(delivery) {
      seat.moved();
      port.deliver(delivery);
    },
    exhausted: () => port.exhausted(),
  };
}

/** The consumer gave credit, or wants what it asked for to be over. */
export function pumpSeat(port: SourcePort, seat: Seat, pump: () => void): void {
  if (port.wants()) seat.moved();
  pump();
  // Nobody else tells it that there is nothing for it.
  if (!seat.isServed && port.wants()) port.exhausted();
}

/** A consumer whose messages are counted. */
export function counting(port: SourcePort, counters: { out: number }): SourcePort {
  return {
    get credit() {
      return port.credit;
    },
    get heldBackBy() {
      return port.heldBackBy ?? null;
    },
    filter: port.filter,
    wants: () => port.wants(),
    deliver(delivery) {
      counters.out++;
      port.deliver(delivery);
    },
    exhausted: () => port.exhausted(),
    gone: (...args) => port.gone(...args),
    stolen: (description) => port.stolen(description),
  };
}
