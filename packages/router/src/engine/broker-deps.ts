import type { Clock } from "@datawire/runtime";
import type { AddressRules } from "../address/rules.ts";
import type { Disk } from "../disk/disk.ts";
import type { Dead } from "../queue/delivery.ts";
import type { QueueDeps, Storage } from "../queue/storage.ts";
import type { Allot } from "./allotment.ts";
import type { Intake } from "./intake.ts";
import type { LogConfig } from "../log/log-deps.ts";

/** How a broker is set up. */
export interface BrokerConfig {
  readonly rules: AddressRules;
  readonly log: LogConfig;
  /** How many addresses there may be; default 100,000. */
  readonly addressesMax?: number;
}

/** What a broker works with. */
export interface BrokerDeps {
  readonly disk: Disk;
  readonly clock: Clock;
  /** A whole number from 0 to 2^32 - 1. */
  readonly random32: () => number;
  readonly later: (callback: () => void) => void;
  /** The bytes of a message with annotations that say why it is dead. */
  readonly annotate: (payload: Uint8Array, dead: DeadNote) => Uint8Array;
  /** Why the log cannot be written now; null when it can again. */
  readonly onTrouble: (error: unknown) => void;
  /** Something went wrong that costs nobody a message. */
  readonly onFault: (subject: string, error: unknown) => void;
  /** Who gets which message of an address; left out, all may have all. */
  readonly allot?: Allot;
  /** Whether an address is that of a service whose instances take links themselves. */
  readonly isService?: (name: string) => boolean;
  /** An address is refused, as there are as many as there may be. */
  readonly crowded?: () => void;
  /** Somebody uses such an address. */
  readonly serviceMade?: () => void;
}

/** Why a message is in the dead letters. */
export interface DeadNote {
  readonly reason: string;
  readonly from: string;
  readonly atMs: number;
}

/**
 * The time of day at the start, counted on by the monotonic clock, in whole milliseconds since 1970: so setting the
 * wall clock neither expires messages nor keeps them for longer.
 */
export function steadyTime(clock: Pick<Clock, "nowMs" | "monotonicMs">): () => number {
  const originMs = clock.nowMs() - clock.monotonicMs();
  return () => Math.floor(originMs + clock.monotonicMs());
}

/** What an address counts: messages by what became of them. */
export const COUNTED = ["in", "out", "dead", "expired", "dropped", "duplicates"] as const;

/** The counts of an address, or of several. */
export type Counters = Record<(typeof COUNTED)[number], number>;

/** Counts that begin at 0. */
export const noCounts = (): Counters => ({ in: 0, out: 0, dead: 0, expired: 0, dropped: 0, duplicates: 0 });

/** What a kept address needs from the broker. */
export interface KeptDeps {
  readonly storage: Storage;
  readonly nowMs: () => number;
  /** The time of day, which may be set; messages are not judged by it. */
  readonly wallMs: () => number;
  readonly later: (callback: () => void) => void;
  readonly onUnreadable: QueueDeps["onUnreadable"];
  /** Says when messages may go to the log; null for an address in memory. */
  readonly intake: Intake | null;
  /** Says when messages that are made here may go to the log. */
  readonly pace: QueueDeps["pace"];
  /** Takes a message into the dead letters of this address. */
  readonly bury: (dead: Dead) => void;
  /** Why nothing is taken now, such as a full disk; null where it is. */
  readonly trouble: () => string | null;
  /** Who gets which message; left out, all may have all. */
  readonly allot?: Allot | undefined;
}

/** What identifies a kept address. */
export interface KeptIdentity {
  /** In the log; 0 for one that is in memory alone. */
  readonly id: number;
  readonly name: string;
  readonly kind: "queue" | "topic";
}
