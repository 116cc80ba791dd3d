import type { Environment } from "./context.ts";
import type { InteractionInfo } from "./interactions.ts";
import type { LogEvent } from "./log-event.ts";
import type { Choice, Node } from "./node.ts";
import type { SessionClock } from "./time.ts";
import type { ResolveOptions, Session } from "./types.ts";

/** Finds nodes for sessions; where there is no table, as in a browser, it refuses. */
export interface Resolving {
  /** A node that is there now; null where there is none, and then `wait` says more. @throws MdkError for bad input. */
  pick(environment: Environment, service: string, version: string | null, options?: ResolveOptions): Choice | null;
  /** Waits for one for so long at the most. */
  wait(query: ResolveQuery): Promise<Choice>;
}

/** What a session asks for when it resolves a service. */
export interface ResolveQuery {
  readonly environment: Environment;
  readonly service: string;
  readonly version: string | null;
  readonly options: ResolveOptions;
  /** The time that the session has left; null for any. */
  readonly remainingMs: number | null;
}

/** What calls from a session go by. */
export interface CallRules {
  /** Whether a table knows the service. */
  knows(environment: Environment, service: string): boolean;
  /** Whether a host may be sent the context. */
  isOurs(url: URL): boolean;
}

/** How a node answered a call. */
export interface NodeAnswer {
  /** Of HTTP; null where there was none, or whoever made the call did not say. */
  readonly status: number | null;
  /** From sending the call to the head of the answer; null where that is not known. */
  readonly ms: number | null;
}

/** A call whose end is known. */
export interface CallOutcome extends NodeAnswer {
  readonly node: Node;
  readonly failed: boolean;
}

/** An interaction that is over. */
export interface FinishedInteraction extends InteractionInfo {
  readonly traceId: string;
  /** 16 hexadecimal digits, as all ids of spans. */
  readonly spanId: string;
  /** The span within which it was; null where there is none. */
  readonly parentId: string | null;
  /** Milliseconds since 1970. */
  readonly startedMs: number;
  readonly endedMs: number;
  /** Why it failed; null when it did not. */
  readonly failure: string | null;
  readonly environment: string;
}

/** What a session works with. */
export interface SessionDeps {
  readonly clock: SessionClock;
  /** Who logs. */
  readonly node: string;
  /** Takes what is logged. */
  readonly log: (event: LogEvent) => void;
  /** Told of each interaction that is over. */
  readonly interacted: (interaction: FinishedInteraction) => void;
  /** Told of each call, once. */
  readonly called: (outcome: CallOutcome) => void;
  readonly resolving: Resolving;
  readonly calls: CallRules;
  /** 16 random hexadecimal digits. */
  readonly newSpanId: () => string;
  /** Makes a session the current one while something runs. */
  readonly runWith: <T>(session: Session, run: () => T) => T;
  /** Whether the routes of the session itself hold (`MDK_EXPERIMENTAL`). */
  readonly experimental: boolean;
}
