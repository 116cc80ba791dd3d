import type { Clock } from "@datawire/runtime";
import type { AddressRules } from "../address/rules.ts";
import type { Disk } from "../log/disk.ts";
import type { Allot } from "./allotment.ts";
import type { LogConfig } from "../log/log-deps.ts";

/** How a broker is set up. */
export interface BrokerConfig {
  readonly rules: AddressRules;
  readonly log: LogConfig;
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
 * The time of day as it was when this began, going on as the monotonic clock does, in whole milliseconds since 1970: a
 * wall clock that is set ends no message's time, and keeps none for longer.
 */
export function steadyTime(clock: Pick<Clock, "nowMs" | "monotonicMs">): () => number {
  const originMs = clock.nowMs() - clock.monotonicMs();
  return () => Math.floor(originMs + clock.monotonicMs());
}
