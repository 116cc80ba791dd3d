import { LOG_LEVELS } from "@datawire/protocol";
import { MdkError } from "./mdk-error.ts";

/** How important a log event is, from the worst on. */
export type Level = "CRITICAL" | "ERROR" | "WARN" | "INFO" | "DEBUG";

/** The level from which on events are logged, unless the context of the session says another. */
export const DEFAULT_LEVEL: Level = "INFO";

/** Reads a level in any case. @throws MdkError `invalid_argument` */
export function parseLevel(level: unknown): Level {
  const found = asLevel(level);
  if (found !== null) return found;
  throw new MdkError(
    "invalid_argument",
    `Cannot log at level ${JSON.stringify(level) ?? String(level)}: wanted ${LOG_LEVELS.join(", ")}`,
  );
}

/** A level as it is written; null for anything else. */
export function asLevel(level: unknown): Level | null {
  if (typeof level !== "string") return null;
  const upper = level.toUpperCase();
  return LOG_LEVELS.find((one) => one === upper) ?? null;
}

/** Whether an event of a level is logged where a level is asked for. */
export function isLogged(level: Level, asked: Level): boolean {
  return LOG_LEVELS.indexOf(level) <= LOG_LEVELS.indexOf(asked);
}
