import type { Dispatcher } from "undici";
import type { Choice } from "../session/node.ts";
import type { LiveSession } from "../session/session.ts";
import type { RequestLike } from "../session/types.ts";
import { baseOf, isFailure, mayRetry, tellContext, TRIES_MAX } from "./outgoing.ts";
import { pairsOf, withoutContext } from "./request-headers.ts";

/** A request, within which session, and who is told of its answer. */
export interface Wanted {
  readonly session: LiveSession;
  /** The requirement on the version of a service; null for what the routes give. */
  readonly version: string | null;
  readonly dispatch: Dispatcher.Dispatch;
  readonly options: Dispatcher.DispatchOptions;
  readonly handler: Dispatcher.DispatchHandler;
}

type Controller = Dispatcher.DispatchController;
type ResponseHeaders = Parameters<NonNullable<Dispatcher.DispatchHandler["onResponseStart"]>>[2];
/** How a try ended, where that was not well. */
type BadEnd = Parameters<typeof mayRetry>[1];

/** The headers of a request, with those of its session where its server may be sent them. */
export function headersOf({ options, session }: Wanted, isOurs: boolean): string[] {
  const headers = withoutContext(options.headers);
  if (isOurs) tellContext(session, (name, value) => headers.push(name, value));
  return headers;
}

/** Ends a request of which nothing was sent. */
export function failUnsent({ handler }: Wanted, error: Error): void {
  // There is no controller; undici's own interceptors do the same.
  handler.onResponseError?.(null as unknown as Controller, error);
}

/**
 * One try of a request, of which its session's deadline or the choice of a node makes more than the request itself. It
 * hands all on to the handler of whoever made the request, but for what is tried again elsewhere.
 */
export class Attempt implements Dispatcher.DispatchHandler {
  readonly #wanted: Wanted;
  /** The service to resolve; null for a server that the library does not choose. */
  readonly #service: string | null;
  /** The try before this one. */
  readonly #previous: Attempt | null;
  readonly #signal: AbortSignal | null;
  #choice: Choice | null = null;
  /** When it was sent. */
  #sentMs = 0;
  #isReported = false;
  #unlisten: (() => void) | null = null;
  /** The answer is of no interest: the request was made again. */
  #isDropped = false;

  constructor(wanted: Wanted, service: string | null, previous: Attempt | null = null) {
    const { session } = wanted;
    this.#wanted = wanted;
    this.#service = service;
    this.#previous = previous;
    this.#signal = session.getRemainingTime() === null ? null : session.signal;
  }

  /** Chooses a node, at once where there is one, and sends the request to it. */
  resolve(service: string): void {
    const { session, version, options } = this.#wanted;
    try {
      const choice = session.choose(service, version, { request: new RequestFacts(options) });
      if (!(choice instanceof Promise)) return this.#sendTo(choice);
      choice.then((one) => this.#sendTo(one)).catch((error: unknown) => failUnsent(this.#wanted, error as Error));
    } catch (error) {
      failUnsent(this.#wanted, error as Error);
    }
  }

  onRequestStart(controller: Controller, context: unknown): void {
    const signal = this.#signal;
    if (signal !== null) {
      const abort = (): void => controller.abort(signal.reason as Error);
      if (signal.aborted) abort();
      signal.addEventListener("abort", abort, { once: true });
      this.#unlisten = () => signal.removeEventListener("abort", abort);
    }
    this.#wanted.handler.onRequestStart?.(controller, context);
  }

  onRequestUpgrade(...args: Parameters<NonNullable<Dispatcher.DispatchHandler["onRequestUpgrade"]>>): void {
    this.#unlisten?.();
    this.#report(true, 101);
    this.#wanted.handler.onRequestUpgrade?.(...args);
  }

  onResponseStart(controller: Controller, status: number, headers: ResponseHeaders, message?: string): void {
    // What is below comes before the answer itself.
    if (status >= 200) {
      this.#report(status < 500, status);
      if (status >= 500 && this.#retry({ status })) {
        this.#isDropped = true;
        return;
      }
    }
    this.#wanted.handler.onResponseStart?.(controller, status, headers, message);
  }

  onResponseData(controller: Controller, chunk: Buffer): void {
    if (!this.#isDropped) this.#wanted.handler.onResponseData?.(controller, chunk);
  }

  onResponseEnd(controller: Controller, trailers: ResponseHeaders): void {
    this.#unlisten?.();
    if (!this.#isDropped) this.#wanted.handler.onResponseEnd?.(controller, trailers);
  }

  onResponseError(controller: Controller, error: Error): void {
    this.#unlisten?.();
    if (this.#isDropped) return;
    const isOver = this.#signal?.aborted === true;
    if (isOver || isFailure(error, null)) this.#report(false, null);
    if (!isOver && this.#retry({ error })) return;
    this.#wanted.handler.onResponseError?.(controller, isOver ? (this.#signal?.reason as Error) : error);
  }

  #sendTo(choice: Choice): void {
    this.#choice = choice;
    this.#sentMs = performance.now();
    const { options, dispatch } = this.#wanted;
    const { origin, path } = baseOf(choice.node.address);
    dispatch({ ...options, origin, path: path + options.path, headers: headersOf(this.#wanted, true) }, this);
  }

  #report(isGood: boolean, status: number | null): void {
    if (this.#choice === null) return;
    const ms = status === null ? null : performance.now() - this.#sentMs;
    // A body that breaks off is no second call.
    const answer = this.#isReported ? null : { status, ms };
    this.#isReported = true;
    if (isGood) this.#wanted.session.reportSuccess(this.#choice, answer);
    else this.#wanted.session.reportFailure(this.#choice, answer);
  }

  /** Makes the request again where that is safe and of use; returns whether it does. */
  #retry(end: BadEnd): boolean {
    const service = this.#service;
    const { options } = this.#wanted;
    if (service === null || this.#isLast() || !canRepeat(options) || !mayRetry(options.method, end)) return false;
    const next = new Attempt(this.#wanted, service, this);
    // Not from within what undici does with this answer.
    queueMicrotask(() => next.resolve(service));
    return true;
  }

  /** After as many as may be, or when the choice came back to a node that was tried. */
  #isLast(): boolean {
    const address = this.#choice?.node.address;
    let tries = 1;
    for (let one = this.#previous; one !== null; one = one.#previous) {
      if (one.#choice?.node.address === address) return true;
      tries += 1;
    }
    return tries >= TRIES_MAX;
  }
}

/** What rules may go by of a request; its headers are read when one asks for them. */
class RequestFacts implements RequestLike {
  readonly #options: Dispatcher.DispatchOptions;

  constructor(options: Dispatcher.DispatchOptions) {
    this.#options = options;
  }

  get path(): string {
    return this.#options.path;
  }

  get headers(): [name: string, value: string][] {
    return pairsOf(this.#options.headers);
  }
}

function canRepeat({ body }: Dispatcher.DispatchOptions): boolean {
  return body === undefined || body === null || typeof body === "string" || body instanceof Uint8Array;
}
