import { currentSession } from "../app/current-session.ts";
import { MdkError } from "../session/mdk-error.ts";
import type { NodeAnswer } from "../session/deps.ts";
import type { Choice } from "../session/node.ts";
import { LiveSession } from "../session/session.ts";
import {
  baseOf,
  type Called,
  CONTEXT_HEADERS,
  isFailure,
  mayRetry,
  readCalled,
  requireTime,
  serviceOf,
  tellContext,
  TRIES_MAX,
} from "./outgoing.ts";

/** What `fetch` takes, and which version of the service is asked for. */
export interface MdkRequestInit extends RequestInit {
  /** The requirement on the version, as for `resolve`. Default: what the routes give. */
  readonly version?: string | null;
  /** Only nodes of the service that have all of these tags. */
  readonly tags?: readonly string[];
}

/** As many as browsers follow (Fetch Standard, section 4.4). */
const REDIRECTS_MAX = 20;

/** What is asked for, as it is sent to wherever it goes. */
interface Going extends Called {
  readonly method: string;
  readonly headers: Headers;
  readonly body: RequestInit["body"];
  /** Everything else, as the caller gave it. */
  readonly init: RequestInit;
}

/**
 * `fetch` within the current session: it sends the context to services, instances and loopback, and to the hosts that
 * the option `propagate` names, and ends at the deadline with `deadline_exceeded`. `http://NAME/…`, without a port, is
 * resolved where NAME is a service, is tried at other nodes where that is safe, and tells their breakers how it went.
 * Without a session it is `fetch`. Rejects as `fetch` and `resolve` do.
 */
export async function mdkFetch(input: string | URL | Request, init: MdkRequestInit = {}): Promise<Response> {
  const { version = null, tags = [], ...rest } = init;
  const session = currentSession();
  if (!(session instanceof LiveSession)) return fetch(input, rest);
  requireTime(session);
  const request = input instanceof Request ? input : null;
  const called = readCalled(session, input instanceof Request ? input.url : input);
  const signals = [request?.signal, rest.signal].filter((signal) => signal !== undefined && signal !== null);
  const callers = signals.length === 0 ? null : AbortSignal.any(signals);
  const all = session.getRemainingTime() === null ? callers : AbortSignal.any([session.signal, ...signals]);
  const going: Going = {
    ...called,
    method: (rest.method ?? request?.method ?? "GET").toUpperCase(),
    headers: new Headers(rest.headers ?? request?.headers),
    body: rest.body ?? request?.body ?? null,
    init: {
      ...(request === null ? {} : settingsOf(request)),
      ...rest,
      ...(all !== null && { signal: all }),
    },
  };
  return new Call(session, { version, tags }, callers).follow(going);
}

type Requirement = { readonly version: string | null; readonly tags: readonly string[] };

class Call {
  readonly #session: LiveSession;
  readonly #wanted: Requirement;
  /** The caller's own, which says nothing of a node. */
  readonly #callers: AbortSignal | null;

  constructor(session: LiveSession, wanted: Requirement, callers: AbortSignal | null) {
    this.#session = session;
    this.#wanted = wanted;
    this.#callers = callers;
  }

  /** Follows redirects by itself: whoever is redirected to need not be somebody who may know the context. */
  async follow(first: Going): Promise<Response> {
    const mode = first.init.redirect ?? "follow";
    let going = first;
    for (let redirects = 0; ; redirects++) {
      const response = await this.#send(going);
      const location = REDIRECTS.has(response.status) ? response.headers.get("location") : null;
      if (location === null || mode === "manual") return response;
      await response.body?.cancel();
      if (mode === "error") throw new TypeError(`Cannot fetch ${going.url.href}: it redirects to ${location}`);
      if (redirects === REDIRECTS_MAX)
        throw new TypeError(`Cannot fetch ${first.url.href}: more than ${REDIRECTS_MAX} redirects`);
      // Relative to where the answer came from, which is the node.
      going = redirected(going, response.status, new URL(location, response.url || going.url));
    }
  }

  #send(going: Going): Promise<Response> {
    const service = going.service ?? serviceOf(this.#session, going.url);
    return service === null ? this.#once(going) : this.#resolved(service, going);
  }

  async #resolved(service: string, going: Going): Promise<Response> {
    const { url, headers, method, body, init } = going;
    const request = { path: url.pathname + url.search, headers: [...headers] as [string, string][] };
    const canRepeat = !isStream(body);
    const callers = this.#callers;
    const tried = new Set<string>();
    for (;;) {
      const signal = init.signal ?? undefined;
      const choice = await this.#session.choose(service, this.#wanted.version, {
        request,
        tags: this.#wanted.tags,
        ...(callers && { signal: callers }),
      });
      const isLast = tried.has(choice.node.address) || tried.size + 1 >= TRIES_MAX || !canRepeat;
      tried.add(choice.node.address);
      const sentMs = performance.now();
      try {
        const { origin, path } = baseOf(choice.node.address);
        const response = await this.#once({ ...going, url: new URL(origin + path + request.path) });
        this.#report(choice, { status: response.status, ms: performance.now() - sentMs });
        if (isLast || !mayRetry(method, { status: response.status })) return response;
        await response.body?.cancel();
      } catch (error) {
        if (isFailure(error, this.#callers)) this.#report(choice, { status: null, ms: null });
        if (isLast || signal?.aborted === true || !mayRetry(method, { error })) throw error;
      }
    }
  }

  #report(choice: Choice, answer: NodeAnswer): void {
    if (answer.status !== null && answer.status < 500) this.#session.reportSuccess(choice, answer);
    else this.#session.reportFailure(choice, answer);
  }

  async #once({ url, method, headers, body, init }: Going): Promise<Response> {
    const sent = new Headers(headers);
    if (this.#session.mayTell(url)) tellContext(this.#session, (name, value) => sent.set(name, value));
    // What `Request` made a stream of is one, and fetch wants to be told that it need not wait for the answer.
    const duplex = isStream(body) ? { duplex: "half" as const } : {};
    try {
      return await fetch(url, { ...init, method, headers: sent, body: body ?? null, redirect: "manual", ...duplex });
    } catch (error) {
      const { signal } = init;
      // Where the time is over, that is the reason, whatever the connection makes of it.
      if (signal?.aborted === true && signal.reason instanceof MdkError) throw signal.reason;
      throw error;
    }
  }
}

const REDIRECTS = new Set([301, 302, 303, 307, 308]);
/** What is for one server alone (Fetch Standard, section 4.4). */
const FOR_ORIGIN = ["authorization", "proxy-authorization", "cookie", "host"];
const OF_BODY = ["content-encoding", "content-language", "content-location", "content-type", "content-length"];

function redirected(going: Going, status: number, url: URL): Going {
  if (url.protocol !== "http:" && url.protocol !== "https:")
    throw new TypeError(`Cannot fetch ${going.url.href}: it redirects to ${url.href}`);
  const headers = new Headers(going.headers);
  for (const name of CONTEXT_HEADERS) headers.delete(name);
  if (url.origin !== going.url.origin) for (const name of FOR_ORIGIN) headers.delete(name);
  const becomesGet =
    (status === 303 && going.method !== "GET" && going.method !== "HEAD") ||
    ((status === 301 || status === 302) && going.method === "POST");
  if (becomesGet) {
    for (const name of OF_BODY) headers.delete(name);
    return { ...going, url, service: null, headers, method: "GET", body: null };
  }
  if (isStream(going.body))
    throw new TypeError(`Cannot fetch ${going.url.href}: it redirects to ${url.href}, and the body is a stream`);
  return { ...going, url, service: null, headers };
}

function isStream(body: RequestInit["body"]): boolean {
  if (typeof body !== "object" || body === null) return false;
  return typeof (body as { readonly [Symbol.asyncIterator]?: unknown })[Symbol.asyncIterator] === "function";
}

/** What a Request says besides URL, method, headers and body. */
function settingsOf({ redirect, credentials, cache, mode, referrer, integrity, keepalive }: Request): RequestInit {
  return { redirect, credentials, cache, mode, referrer, integrity, keepalive };
}
