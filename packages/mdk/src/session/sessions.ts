import { type Context, type Environment, readContext } from "./context.ts";
import { MdkError } from "./mdk-error.ts";
import type { SessionDeps } from "./deps.ts";
import { LiveSession } from "./session.ts";

/** What making sessions works with. */
export interface SessionsDeps extends SessionDeps {
  /** A UUID in lower case. */
  readonly newTraceId: () => string;
  /** The trace that runs in another kind of tracing, as a UUID; null for none. */
  readonly activeTraceId: () => string | null;
}

/** How a request joins a session. */
export interface JoinOptions {
  /**
   * What is left until the deadline, in milliseconds, as `X-MDK-Remaining` says; stronger than the deadline in the
   * context, which needs equal clocks. What is no number is none.
   */
  readonly remaining?: number | undefined;
}

/** So often a context from outside that cannot be read is told of. */
const WARN_MS = 60_000;

/** Makes the sessions of a process. */
export class Sessions {
  readonly #environment: Environment;
  readonly #deps: SessionsDeps;
  #defaultMs: number | null = null;
  #warnedMs = Number.NEGATIVE_INFINITY;

  constructor(environment: Environment, deps: SessionsDeps) {
    this.#environment = environment;
    this.#deps = deps;
  }

  /** Sessions from here on have to be done so many seconds after they began. */
  setDefaultDeadline(seconds: number): void {
    if (!Number.isFinite(seconds) || seconds < 0)
      throw new MdkError("invalid_argument", `Cannot set a default deadline of ${seconds} s: wanted 0 or more seconds`);
    this.#defaultMs = seconds * 1_000;
  }

  /** A new one, with a trace of its own. */
  create(): LiveSession {
    const traceId = this.#deps.activeTraceId() ?? this.#deps.newTraceId();
    const environment = this.#environment;
    return this.#limited(LiveSession.of({ traceId, clock: [0], properties: new Map(), environment }, this.#deps));
  }

  /** Goes on with the session of whoever called; a new one where there is no context, or none that can be read. */
  join(text: string | null | undefined, { remaining }: JoinOptions = {}): LiveSession {
    const { context, problem } = this.#read(text);
    const session = context === null ? this.create() : this.#entered(context);
    if (problem !== null) this.#warn(session, problem);
    return this.#withRemaining(session, remaining);
  }

  /** Goes on with the trace of whoever sent something and does not wait for what becomes of it: their deadline is not ours. */
  follow(text: string | null | undefined): LiveSession {
    const { context } = this.#read(text);
    if (context === null) return this.join(text);
    const properties = new Map(context.properties);
    properties.delete("timeout");
    return this.#entered({ ...context, properties });
  }

  /** Goes on with a trace that another kind of context names. */
  continue(traceId: string, { remaining }: JoinOptions = {}): LiveSession {
    const context = { traceId, clock: [0], properties: new Map(), environment: this.#environment };
    return this.#withRemaining(this.#entered(context), remaining);
  }

  /** A new session with the properties of another one, for work that goes on after it: it has its own deadline. */
  derive(text: string | null | undefined): LiveSession {
    const { context: parent, problem } = this.#read(text);
    if (parent === null) {
      const session = this.create();
      if (problem !== null) this.#warn(session, problem);
      return session;
    }
    const properties = new Map(parent.properties);
    properties.delete("timeout");
    const own = { traceId: this.#deps.newTraceId(), clock: [0], environment: this.#environment };
    const session = this.#limited(LiveSession.of({ ...own, properties }, this.#deps));
    session.info("mdk", `This session is derived from trace ${parent.traceId} ${JSON.stringify(parent.clock)}`);
    return session;
  }

  #withRemaining(session: LiveSession, remaining: number | undefined): LiveSession {
    if (typeof remaining !== "number" || !Number.isFinite(remaining)) return session;
    session.replaceDeadline(Math.max(0, remaining));
    return this.#limited(session);
  }

  #entered({ clock, ...rest }: Context): LiveSession {
    const deeper = [...clock.slice(0, -1), (clock.at(-1) ?? 0) + 1, 0];
    return this.#limited(LiveSession.of({ ...rest, clock: deeper }, this.#deps));
  }

  #limited(session: LiveSession): LiveSession {
    if (this.#defaultMs !== null) session.setDeadline(this.#defaultMs / 1_000);
    return session;
  }

  #read(text: string | null | undefined): { readonly context: Context | null; readonly problem: string | null } {
    if (text === null || text === undefined || text === "") return { context: null, problem: null };
    if (typeof text !== "string") return { context: null, problem: `it is a ${typeof text}` };
    const read = readContext(text);
    return read.state === "read" ? { context: read.context, problem: null } : { context: null, problem: read.reason };
  }

  #warn(session: LiveSession, problem: string): void {
    const nowMs = this.#deps.clock.monotonicMs();
    if (nowMs - this.#warnedMs < WARN_MS) return;
    this.#warnedMs = nowMs;
    session.warn("mdk", `A context from outside is ignored: ${problem}`);
  }
}
