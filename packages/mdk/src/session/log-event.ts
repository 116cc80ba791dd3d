import { LOG_TEXT_LENGTH_MAX } from "@datawire/protocol";
import type { Level } from "./levels.ts";

/** One thing that a session logged. */
export interface LogEvent {
  readonly traceId: string;
  /** When it was within its trace. */
  readonly clock: readonly number[];
  /** Milliseconds since 1970, by the clock of who logged it. */
  readonly timestamp: number;
  /** Who logged it. */
  readonly node: string;
  readonly level: Level;
  readonly category: string;
  readonly text: string;
  readonly environment: string;
}

/** The longest category. */
const CATEGORY_LENGTH_MAX = 1_000;

/** What an event says: texts, and no longer than they may be. */
export function textOf(value: unknown): string {
  return short(String(value), LOG_TEXT_LENGTH_MAX);
}

/** What an event is filed under. */
export function categoryOf(value: unknown): string {
  return short(String(value), CATEGORY_LENGTH_MAX);
}

function short(text: string, max: number): string {
  return text.length <= max ? text : `${text.slice(0, max - 1)}…`;
}
