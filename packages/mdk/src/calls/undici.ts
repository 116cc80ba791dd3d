import type { Dispatcher } from "undici";
import { currentSession } from "../app/current-session.ts";
import { deadlineExceeded } from "../session/deadline.ts";
import type { Choice } from "../session/node.ts";
import { LiveSession } from "../session/session.ts";
import { CallHandler, type CallEnd } from "./call-handler.ts";
import { CONTEXT_HEADERS, contextHeaders, mayRetry, serviceOf, TRIES_MAX, urlAt } from "./outgoing.ts";

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
    if (!(session instanceof LiveSession) || options.origin === undefined) return dispatch(options, handler);
    new InterceptedCall(session, version, dispatch, { options, handler }).start();
    return true;
  };
}

/** A request, and who is told of its answer. */
interface Wanted {
  readonly options: Dispatcher.DispatchOptions;
  readonly handler: Dispatcher.DispatchHandler;
}

class InterceptedCall {
  readonly #session: LiveSession;
  readonly #version: string | null;
  readonly #dispatch: Dispatcher.Dispatch;
  readonly #options: Dispatcher.DispatchOptions;
  readonly #handler: Dispatcher.DispatchHandler;
  readonly #url: URL;
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
    this.#url = new URL(options.path, options.origin);
  }

  start(): void {
    if (this.#session.getRemainingTime() === 0) return this.#fail(deadlineExceeded());
    const service = serviceOf(this.#session, this.#url);
    if (service === null) this.#send(this.#url, null, () => false);
    else this.#resolve(service);
  }

  #resolve(service: string): void {
    const request = { path: this.#options.path, headers: pairsOf(this.#options.headers ?? []) };
    this.#session.choose(service, this.#version, { request }).then(
      (choice) => {
        const isLast =
          this.#tried.has(choice.node.address) || this.#tried.size + 1 >= TRIES_MAX || !canRepeat(this.#options);
        this.#tried.add(choice.node.address);
        this.#send(urlAt(choice.node.address, this.#url), choice, (end) => {
          if (isLast || !mayRetry(this.#options.method, end)) return false;
          this.#resolve(service);
          return true;
        });
      },
      (error: unknown) => this.#fail(error as Error),
    );
  }

  /** @param retry asked at a bad end; true when the request was made again, and this one is of no interest any more. */
  #send(url: URL, choice: Choice | null, retry: (end: CallEnd) => boolean): void {
    const headers = pairsOf(this.#options.headers ?? []).filter(([name]) => !isContext(name));
    if (this.#session.mayTell(url)) headers.push(...contextHeaders(this.#session));
    const options = {
      ...this.#options,
      origin: url.origin,
      path: url.pathname + url.search,
      headers: headers.flat(),
    };
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
