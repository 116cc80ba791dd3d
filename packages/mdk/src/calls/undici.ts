import type { Dispatcher } from "undici";
import { currentSession } from "../app/current-session.ts";
import { deadlineExceeded } from "../session/deadline.ts";
import type { Choice } from "../session/node.ts";
import { LiveSession } from "../session/session.ts";
import { CallHandler, type CallEnd } from "./call-handler.ts";
import { baseOf, CONTEXT_HEADERS, contextHeaders, mayRetry, originOf, serviceOf, TRIES_MAX } from "./outgoing.ts";

/** How calls are made. */
export interface MdkInterceptorOptions {
  /** The requirement on the version of every service that is called. Default: what the routes give. */
  readonly version?: string | null;
}

type Headers = NonNullable<Dispatcher.DispatchOptions["headers"]>;

/**
 * Interceptor of undici, `new Agent().compose(mdkInterceptor())`: what `mdkFetch` does, for every request of a
 * dispatcher. An interceptor that follows redirects comes after it, `compose(mdkInterceptor(), interceptors.redirect())`: else
 * the context would go with the request to wherever that leads.
 */
export function mdkInterceptor({
  version = null,
}: MdkInterceptorOptions = {}): Dispatcher.DispatcherComposeInterceptor {
  return (dispatch) => (options, handler) => {
    const session = currentSession();
    const { origin } = options;
    if (!(session instanceof LiveSession) || origin === undefined) return dispatch(options, handler);
    new InterceptedCall(session, version, dispatch, { options, handler }).start(originOf(origin));
    return true;
  };
}

/** A request, and who is told of its answer. */
interface Wanted {
  readonly options: Dispatcher.DispatchOptions;
  readonly handler: Dispatcher.DispatchHandler;
}

/** One try of a call. */
interface Attempt {
  /** The node that it goes to; null for one that the library did not choose. */
  readonly choice: Choice | null;
  /** Whether the server may be sent the context. */
  readonly isOurs: boolean;
  /** Asked at a bad end; true when the request was made again, and this one is of no interest any more. */
  readonly retry: (end: CallEnd) => boolean;
}

class InterceptedCall {
  readonly #session: LiveSession;
  readonly #version: string | null;
  readonly #dispatch: Dispatcher.Dispatch;
  readonly #options: Dispatcher.DispatchOptions;
  readonly #handler: Dispatcher.DispatchHandler;
  readonly #tried = new Set<string>();

  constructor(
    session: LiveSession,
    version: string | null,
    dispatch: Dispatcher.Dispatch,
    { options, handler }: Wanted,
  ) {
    this.#session = session;
    this.#version = version;
    this.#dispatch = dispatch;
    this.#options = options;
    this.#handler = handler;
  }

  start(origin: URL): void {
    if (this.#session.getRemainingTime() === 0) return this.#fail(deadlineExceeded());
    const service = serviceOf(this.#session, origin);
    if (service !== null) return this.#resolve(service);
    this.#send(this.#options, { choice: null, isOurs: this.#session.mayTell(origin), retry: () => false });
  }

  #resolve(service: string): void {
    const request = { path: this.#options.path, headers: pairsOf(this.#options.headers ?? []) };
    this.#session.choose(service, this.#version, { request }).then(
      (choice) => {
        const isLast =
          this.#tried.has(choice.node.address) || this.#tried.size + 1 >= TRIES_MAX || !canRepeat(this.#options);
        this.#tried.add(choice.node.address);
        const { origin, path } = baseOf(choice.node.address);
        const retry = (end: CallEnd): boolean => {
          if (isLast || !mayRetry(this.#options.method, end)) return false;
          this.#resolve(service);
          return true;
        };
        const options = { ...this.#options, origin, path: path + this.#options.path };
        this.#send(options, { choice, isOurs: true, retry });
      },
      (error: unknown) => this.#fail(error as Error),
    );
  }

  #send(to: Dispatcher.DispatchOptions, { choice, isOurs, retry }: Attempt): void {
    const headers = pairsOf(this.#options.headers ?? []).filter(([name]) => !isContext(name));
    if (isOurs) headers.push(...contextHeaders(this.#session));
    const options = { ...to, headers: headers.flat() };
    const report = (isGood: boolean): void => {
      if (choice === null) return;
      if (isGood) this.#session.reportSuccess(choice);
      else this.#session.reportFailure(choice);
    };
    const signal = this.#session.getRemainingTime() === null ? null : this.#session.signal;
    this.#dispatch(options, new CallHandler(this.#handler, { signal, report, retry }));
  }

  #fail(error: Error): void {
    // Nothing was sent, so there is no controller; undici's own interceptors do the same.
    this.#handler.onResponseError?.(null as unknown as Dispatcher.DispatchController, error);
  }
}

function canRepeat({ body }: Dispatcher.DispatchOptions): boolean {
  return body === undefined || body === null || typeof body === "string" || body instanceof Uint8Array;
}

const isContext = (name: string): boolean => CONTEXT_HEADERS.includes(name.toLowerCase());

/** Headers in any of the forms that undici takes. */
function pairsOf(headers: Headers): [string, string][] {
  if (Array.isArray(headers) && headers.every((one) => typeof one === "string")) {
    const names = headers.filter((_, i) => i % 2 === 0);
    return names.map((name, i) => [name, headers[2 * i + 1] as string]);
  }
  const entries = isIterable(headers) ? [...headers] : Object.entries(headers);
  return entries.flatMap(([name, value]) =>
    value === undefined ? [] : [value].flat().map((one): [string, string] => [name, String(one)]),
  );
}

function isIterable(headers: object): headers is Iterable<[string, string | string[] | undefined]> {
  return typeof (headers as { readonly [Symbol.iterator]?: unknown })[Symbol.iterator] === "function";
}
