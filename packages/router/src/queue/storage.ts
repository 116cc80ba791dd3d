import type { MessageRecord, Range } from "../log/record.ts";

/** Where a message is kept. */
export interface Place {
  readonly segment: number;
  readonly offset: number;
  readonly length: number;
}

/** A message before it has its place in an address. */
export type NewMessage = Omit<MessageRecord, "address" | "sequence">;

/** When a message was accepted, milliseconds since 1970, and for how long it is good; 0 for ever. */
export type MessageTimes = Pick<MessageRecord, "acceptedAtMs" | "ttlMs">;

/** Messages of an address that go to a queue of another process. */
export interface Moving {
  /** Of the move; all batches of it have the same one. */
  readonly id: string;
  /** The other queue. */
  readonly to: string;
  /** How many went before. */
  readonly first: number;
  readonly sequences: readonly number[];
}

/** What keeps the messages of one address. */
export interface Storage {
  /** What is appended under one number becomes durable together. */
  readonly batch: number;
  append(sequence: number, message: NewMessage): Place;
  /** @param subscription 0 for the address itself. */
  settled(subscription: number, sequence: number): void;
  /** Of messages that may not be durable yet. */
  removed(sequence: number, length: number): void;
  /** Of messages of a topic that nobody gets any more: their time was over. */
  expired(ranges: readonly Range[]): void;
  failed(subscription: number, sequence: number, deliveries: number): void;
  /** These are on their way; what was said of the move before is over. */
  moving(moving: Moving): void;
  /** None of a move is on its way any more. */
  movingEnded(id: string): void;
  /** Nobody needs the bytes any more. */
  release(place: Place): void;
  /** Calls back when everything of before is durable. */
  whenDurable(callback: () => void): void;
  /** Null where the message has to be loaded. */
  peek(place: Place): MessageRecord | null;
  load(place: Place): Promise<MessageRecord>;
}

/** How fast messages may be appended. */
export interface Pace {
  /** Whether one of so many bytes may be now. */
  admits(bytes: number): boolean;
  /** Calls back soon, once one may be. */
  whenTaking(callback: () => void): void;
}

/** What queues and topics are given to work with. */
export interface QueueDeps {
  readonly storage: Storage;
  /** Wall clock: what is stored outlives the process. */
  readonly nowMs: () => number;
  /** Calls back soon, when others had their turn. */
  readonly later: (callback: () => void) => void;
  /** Says when messages that are made here may be appended: as fast as the disk takes them. */
  readonly pace: Pace;
  /** A message cannot be read from disk; `retry` is called a while later. */
  readonly onUnreadable: (sequence: number, error: unknown, retry: () => void) => void;
}
