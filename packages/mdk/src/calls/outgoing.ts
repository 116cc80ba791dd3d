import { CONTEXT_HEADER, REMAINING_HEADER, TRACE_PARENT_HEADER } from "../headers/names.ts";
import { isLoopbackHost } from "../headers/hosts.ts";
import { formatTraceParent } from "../headers/trace-parent.ts";
import { deadlineExceeded } from "../session/deadline.ts";
import { isAbort, type LiveSession } from "../session/session.ts";

/** Passes on the headers that carry a session to the server of one request; each set is for one request. */
export function tellContext(session: LiveSession, tell: (name: string, value: string) => void): void {
  tell(CONTEXT_HEADER, session.externalize());
  const remaining = session.getRemainingTime();
  if (remaining !== null) tell(REMAINING_HEADER, String(Math.max(0, Math.floor(remaining * 1_000))));
  const traceId = session.w3cTraceId;
  if (traceId !== null) tell(TRACE_PARENT_HEADER, formatTraceParent(traceId, session.callSpanId()));
  if (session.carried.size > 0) for (const [name, value] of session.carried) tell(name, value);
}

/** The names of all headers that may carry a session. */
export const CONTEXT_HEADERS: readonly string[] = [
  CONTEXT_HEADER,
  REMAINING_HEADER,
  TRACE_PARENT_HEADER,
  "tracestate",
  "baggage",
].map((name) => name.toLowerCase());

/** Throws where the time of the session is over: nothing is sent then. @throws MdkError `deadline_exceeded` */
export function requireTime(session: LiveSession): void {
  if (session.getRemainingTime() === 0) throw deadlineExceeded();
}

/** The service that `http://NAME/` means: one of the table, without a port; null for any other URL. */
export function serviceOf(session: LiveSession, url: URL): string | null {
  const name = bareNameOf(url);
  return name !== null && session.knowsService(name) ? name : null;
}

/** The name in a URL that may mean a service; null for a URL that cannot. */
function bareNameOf({ protocol, hostname, port, username, password }: URL): string | null {
  return protocol === "http:" && port === "" && username === "" && password === "" ? hostname : null;
}

/** What a call of `fetch` is for. */
export interface Called {
  readonly url: URL;
  /** The service that the text of a URL names, where the URL itself does not. */
  readonly service: string | null;
}

/**
 * Reads what `fetch` is given. A URL takes `2048` for an IPv4 address, and `shop.2` for a wrong one, which are names of
 * services as any other: in a text they are found all the same.
 */
export function readCalled(session: LiveSession, input: string | URL): Called {
  const [, name = "", rest = ""] = typeof input === "string" ? (NUMBER_LIKE.exec(input) ?? []) : [];
  const service = name.toLowerCase();
  if (service === "" || !session.knowsService(service)) return { url: new URL(input), service: null };
  // The host is that of the node that is found: none is asked for before.
  return { url: new URL(`http://service.invalid${rest}`), service };
}

/** `http://NAME` where the last part of the name is a number (URL Standard, section 3.5), and what follows. */
const NUMBER_LIKE = /^\s*http:\/\/((?:[\w.-]+\.)?(?:\d+|0x[\da-f]*))((?:[/?#].*)?)$/is;

/** Where a node is: what a request goes to, and the path below which its own is. */
export interface NodeBase {
  readonly origin: string;
  /** `` or `/base`. */
  readonly path: string;
}

/** To parse a URL takes longer than to choose a node; of more than these, all are parsed again. */
const PARSED_MAX = 1_000;
const bases = new Map<string, NodeBase>();
const origins = new Map<string, Origin>();

/** The base of a node's address, which need not be a whole URL. */
export function baseOf(address: string): NodeBase {
  return cached(bases, address, readBase);
}

function readBase(address: string): NodeBase {
  const { origin, pathname } = new URL(address.includes("://") ? address : `http://${address}`);
  return { origin, path: pathname.replace(/\/$/, "") };
}

/** What a request is sent to, as its maker says. */
export interface Origin {
  readonly url: URL;
  /** The name that may mean a service; null where it cannot. */
  readonly name: string | null;
  readonly isLoopback: boolean;
}

/** Reads an origin. */
export function originOf(origin: string | URL): Origin {
  return typeof origin === "string" ? cached(origins, origin, readOrigin) : readOrigin(origin);
}

function readOrigin(origin: string | URL): Origin {
  const url = new URL(origin);
  return { url, name: bareNameOf(url), isLoopback: isLoopbackHost(url.hostname) };
}

function cached<T>(known: Map<string, T>, key: string, make: (key: string) => T): T {
  const there = known.get(key);
  if (there !== undefined) return there;
  if (known.size >= PARSED_MAX) known.clear();
  const made = make(key);
  known.set(key, made);
  return made;
}

/** RFC 9110, section 9.2.2: what may be done twice. */
const IDEMPOTENT = new Set(["GET", "HEAD", "OPTIONS", "TRACE", "PUT", "DELETE"]);
/** Answers after which another node may do better: a gateway's, or of a server that takes nothing now. */
const TRY_ELSEWHERE = new Set([502, 503, 504]);
/** Codes of the system and of undici for a connection that never came to be: nothing was sent. */
const UNSENT = new Set([
  "ECONNREFUSED",
  "ENOTFOUND",
  "EAI_AGAIN",
  "EHOSTUNREACH",
  "ENETUNREACH",
  "UND_ERR_CONNECT_TIMEOUT",
]);

/** Nodes that one call tries at the most, unless the service says otherwise. */
export const TRIES_MAX = 3;

/** Whether a call that failed may be made again, at another node. */
export function mayRetry(method: string, failure: { readonly status: number } | { readonly error: unknown }): boolean {
  const isIdempotent = IDEMPOTENT.has(method.toUpperCase());
  if ("status" in failure) return isIdempotent && TRY_ELSEWHERE.has(failure.status);
  return isIdempotent || isUnsent(failure.error);
}

/** Whether the end of a call says that its node failed; what the caller wanted says nothing. */
export function isFailure(error: unknown, signal: AbortSignal | null | undefined): boolean {
  if (signal?.aborted === true) return false;
  return !isAbort(error);
}

function isUnsent(error: unknown): boolean {
  for (let cause: unknown = error, depth = 0; cause instanceof Error && depth < 5; cause = cause.cause, depth++) {
    if (cause instanceof AggregateError) return cause.errors.every(isUnsent);
    if ("code" in cause && typeof cause.code === "string" && UNSENT.has(cause.code)) return true;
  }
  return false;
}
