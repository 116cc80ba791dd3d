import type { Environment } from "./context.ts";
import type { Json } from "./json.ts";
import type { Level } from "./levels.ts";
import type { Node } from "./node.ts";

/** What a log call says of the event it made, to refer to it. */
export interface LoggedMessage {
  readonly traceId: string;
  readonly clock: number[];
  readonly environment: string;
}

/** What is known of the request that a node is wanted for: `--when` and `--sticky` of routes go by it. */
export interface RequestLike {
  /** What follows the name of the service, with the query. */
  readonly path?: string;
  /** By name in any case, as Node and `fetch` have them. */
  readonly headers?:
    | Readonly<Record<string, string | readonly string[] | undefined>>
    | Iterable<readonly [string, string]>;
}

/** How a node is resolved. */
export interface ResolveOptions {
  /** How long to wait for one where there is none, in seconds. Default: 10, and never longer than the deadline. */
  readonly timeout?: number;
  /** Ends the wait; the promise rejects with its reason. */
  readonly signal?: AbortSignal;
  /** The request in question. */
  readonly request?: RequestLike;
  /** Only nodes that have all of these tags. */
  readonly tags?: readonly string[];
  /** What `--sticky` and `consistent` go by, instead of what they find in the request. */
  readonly key?: string;
}

/** What belongs to one request, wherever it goes: its trace, properties, deadline and interactions. */
export interface Session {
  readonly traceId: string;
  /** Aborts at the deadline, with a `deadline_exceeded` as its reason. */
  readonly signal: AbortSignal;
  /** The context for the header `X-MDK-Context` of one request to another service. Use each result once. */
  externalize(): string;
  /** The same as `externalize`. */
  inject(): string;
  critical(category: string, text: string): LoggedMessage;
  error(category: string, text: string): LoggedMessage;
  warn(category: string, text: string): LoggedMessage;
  info(category: string, text: string): LoggedMessage;
  debug(category: string, text: string): LoggedMessage;
  /** Logs events of this level and worse from here on, also in the services that are called. @throws MdkError */
  trace(level: Level): void;
  /**
   * A node of the service that serves what is asked for: the same first part of the version, the second one or a later
   * one. Without a version: the one that the routes give.
   * Rejects with MdkError `not_found`, `unavailable`, `deadline_exceeded`, `stopped` or `invalid_argument`.
   */
  resolve(service: string, version?: string | null, options?: ResolveOptions): Promise<Node>;
  /** `resolve` that waits for so many seconds at the most. */
  resolveUntil(service: string, version: string | null | undefined, seconds: number): Promise<Node>;
  /** From here on what is resolved belongs to a new interaction, within those that are not finished. */
  startInteraction(): void;
  /** Ends the interaction: what it resolved, and did not fail, has served well. */
  finishInteraction(): void;
  /** What the interaction resolved since its start counts as failed, and an ERROR says so with the reason. */
  failInteraction(reason: unknown): void;
  /** Runs something as an interaction of its own: it fails with it, and then throws on. */
  interact<T>(run: (session: Session) => T | Promise<T>): Promise<T>;
  /** The session has to be done so many seconds from now; a deadline is only ever lowered. @throws MdkError */
  setDeadline(seconds: number): void;
  /** Seconds until the deadline, 0 when it is over; null without one. */
  getRemainingTime(): number | null;
  /** Sets what goes with the request to every service. @throws MdkError `invalid_argument` or `limit_exceeded` */
  setProperty(key: string, value: Json): void;
  getProperty(key: string): Json | undefined;
  hasProperty(key: string): boolean;
  getEnvironment(): Environment;
  /** Sends what this session asks of a service to another one; only where `MDK_EXPERIMENTAL` is set. */
  route(service: string, version: string, target: string, targetVersion: string): void;
  /** As `startInteraction`. */
  start_interaction(): void;
  /** As `finishInteraction`. */
  finish_interaction(): void;
  /** As `failInteraction`. */
  fail_interaction(reason: unknown): void;
  /** As `resolveUntil`. */
  resolve_until(service: string, version: string | null | undefined, seconds: number): Promise<Node>;
  /** As `resolve`. */
  resolve_async(service: string, version?: string | null): Promise<Node>;
  /** As `setDeadline`. */
  setTimeout(seconds: number): void;
}
