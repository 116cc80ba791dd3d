import { SANDBOX, type Environment } from "../session/context.ts";
import type { LogEvent } from "../session/log-event.ts";
import { MdkError } from "../session/mdk-error.ts";
import { type JoinOptions, Sessions } from "../session/sessions.ts";
import type { Session } from "../session/types.ts";

export { Breaker, type BreakerChange, type BreakerSettings } from "../session/breaker.ts";
export {
  CONTEXT_HEADER,
  type Context,
  type ContextRead,
  type Environment,
  readContext,
  writeContext,
} from "../session/context.ts";
export type { Json } from "../session/json.ts";
export type { Level } from "../session/levels.ts";
export type { LogEvent } from "../session/log-event.ts";
export { MdkError, type MdkErrorCode } from "../session/mdk-error.ts";
export type { JoinOptions } from "../session/sessions.ts";
export type { LoggedMessage, Session } from "../session/types.ts";

/** How sessions are made where there is no directory. */
export interface SessionsOptions {
  /** Takes what is logged. Default: nothing does. */
  readonly onLog?: (event: LogEvent) => void;
  /** Who logs. Default: random. */
  readonly node?: string;
  /** Default: `sandbox`. */
  readonly environment?: Environment;
}

/** Makes sessions without a connection. */
export interface SessionMaker {
  /** A new session. */
  session(): Session;
  /** Goes on with the session of a context; a new session without one, or with one that cannot be read. */
  join(context: string | null | undefined, options?: JoinOptions): Session;
  /** A new session, with its own trace and deadline, that has the properties of a context. */
  derive(context: string | null | undefined): Session;
  /** The deadline of sessions that begin from here on, in seconds. @throws MdkError `invalid_argument` */
  setDefaultDeadline(seconds: number): void;
}

/**
 * Makes sessions in whatever runs JavaScript, a browser too: contexts, properties, deadlines, interactions and logging.
 * What needs a directory is left out: `resolve` rejects with `unsupported`.
 */
export function createSessions(options: SessionsOptions = {}): SessionMaker {
  const { onLog = () => {}, node = globalThis.crypto.randomUUID(), environment = SANDBOX } = options;
  const sessions = new Sessions(environment, {
    clock: {
      nowMs: () => Date.now(),
      monotonicMs: () => globalThis.performance.now(),
      setTimer(ms, fn) {
        // Beyond 24.8 days a timer would fire at once; no session lasts that long.
        const timer = globalThis.setTimeout(fn, Math.min(ms, TIMER_MS_MAX));
        return () => globalThis.clearTimeout(timer);
      },
    },
    node,
    log: onLog,
    resolving: {
      pick: () => {
        throw new MdkError("unsupported", "Cannot resolve here: these sessions follow no directory");
      },
      wait: () =>
        Promise.reject(new MdkError("unsupported", "Cannot resolve here: these sessions follow no directory")),
    },
    interacted: () => {},
    called: () => {},
    calls: { knows: () => false, isOurs: () => false },
    runWith: (_session, run) => run(),
    experimental: false,
    newTraceId: () => globalThis.crypto.randomUUID(),
    newSpanId: () => globalThis.crypto.randomUUID().replaceAll("-", "").slice(16),
    activeTraceId: () => null,
  });
  return {
    session: () => sessions.create(),
    join: (context, join) => sessions.join(context, join),
    derive: (context) => sessions.derive(context),
    setDefaultDeadline: (seconds) => sessions.setDefaultDeadline(seconds),
  };
}

const TIMER_MS_MAX = 2 ** 31 - 1;
