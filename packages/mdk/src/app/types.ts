import type { Registration } from "../connection/registrar.ts";
import type { RegisterOptions } from "../connection/registration.ts";
import type { LogsOptions } from "../logs/log-readers.ts";
import type { LogEvent } from "../session/log-event.ts";
import type { JoinOptions } from "../session/sessions.ts";
import type { Session } from "../session/types.ts";

/** The library in one process: registers it, follows the table, and makes sessions. */
export interface Mdk extends AsyncDisposable {
  /** Random, of this start. */
  readonly id: string;
  /** The caller that routes know it by. */
  readonly name: string;
  /** `X-MDK-Context`. */
  readonly CONTEXT_HEADER: string;
  /** Begins to connect, and returns at once. */
  start(): this;
  /** Takes registrations back, sends logs for 2 s at most, and closes; whatever still waits rejects with `stopped`. */
  stop(): Promise<void>;
  /** Resolves with the first table; rejects with an MdkError when the directory refuses this program. */
  ready(options?: { readonly signal?: AbortSignal }): Promise<void>;
  /**
   * Registers an instance of a service at a URL, for as long as this process is connected; before `start` it waits for
   * that. @throws MdkError `invalid_argument`
   */
  register(service: string, version: string | null, address: string, options?: RegisterOptions): Registration;
  /** A new session. */
  session(): Session;
  /** Goes on with the session of a context; a new session without one, or with one that cannot be read. */
  join(context: string | null | undefined, options?: JoinOptions): Session;
  /** A new session, with its own trace and deadline, that has the properties of a context. */
  derive(context: string | null | undefined): Session;
  /** The deadline of sessions that begin from here on, in seconds. @throws MdkError `invalid_argument` */
  setDefaultDeadline(seconds: number): void;
  /** As `setDefaultDeadline`. */
  setDefaultTimeout(seconds: number): void;
  /** Lowers the deadline of the current session. @throws MdkError `invalid_argument` where there is none */
  setDeadline(seconds: number): void;
  /** What all programs log from now on, as far as this one may read it. */
  logs(options?: LogsOptions): AsyncIterable<LogEvent>;
}
