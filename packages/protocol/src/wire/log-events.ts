import { z } from "zod";
import { momentSchema } from "../entities/model.ts";
import { NAME_PATTERN, NAME_RULE } from "../words/names.ts";

/** From the worst to the least important; the words of the original protocol. */
export const LOG_LEVELS = ["CRITICAL", "ERROR", "WARN", "INFO", "DEBUG"] as const;
/** How important an event of a session is: one of `LOG_LEVELS`. */
export type LogLevelWord = (typeof LOG_LEVELS)[number];

/** The most events in one message of the link. */
export const LOGS_MESSAGE_EVENTS_MAX = 500;
/** The longest text of an event, in characters; a library cuts a longer one. */
export const LOG_TEXT_LENGTH_MAX = 256 * 1024;
/** The longest id of a trace, and how many levels a clock may have. */
export const TRACE_ID_LENGTH_MAX = 200;
const CLOCK_LEVELS_MAX = 4_096;

/** One thing that a session logged. */
export const logEventSchema = z.object({
  traceId: z.string().min(1).max(TRACE_ID_LENGTH_MAX),
  /** When it was within its trace: `[1] < [1,1] < [2]`. */
  clock: z.array(z.int().min(0)).max(CLOCK_LEVELS_MAX),
  /** By the clock of who logged it, in milliseconds since 1970. */
  timestamp: momentSchema,
  level: z.enum(LOG_LEVELS),
  category: z.string().max(1_000),
  text: z.string().max(LOG_TEXT_LENGTH_MAX),
  /** The environment of the session. */
  environment: z.string().regex(NAME_PATTERN, NAME_RULE),
});
/** One thing that a session logged, after parsing. */
export type LoggedEvent = z.infer<typeof logEventSchema>;
