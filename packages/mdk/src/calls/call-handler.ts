import type { Dispatcher } from "undici";
import { isFailure } from "./outgoing.ts";

/** How a call ended, where that was not well. */
export type CallEnd = { readonly status: number } | { readonly error: unknown };

/** What handling one call works with. */
export interface CallHandlerDeps {
  /** Ends the call when it aborts; null for none. */
  readonly signal: AbortSignal | null;
  /** Told once how the node did. */
  readonly report: (isGood: boolean) => void;
  /** Whether the call was made again elsewhere: this one's handler then learns nothing of it. */
  readonly retry: (end: CallEnd) => boolean;
}

type Controller = Dispatcher.DispatchController;
type ResponseHeaders = Parameters<NonNullable<Dispatcher.DispatchHandler["onResponseStart"]>>[2];

/** Hands a call on to the handler of whoever made it, but for what is tried again. */
export class CallHandler implements Dispatcher.DispatchHandler {
  readonly #handler: Dispatcher.DispatchHandler;
  readonly #deps: CallHandlerDeps;
  /** The answer is of no interest: the call was made again elsewhere. */
  #isDropped = false;
  #unlisten = (): void => {};

  constructor(handler: Dispatcher.DispatchHandler, deps: CallHandlerDeps) {
    this.#handler = handler;
    this.#deps = deps;
  }

  onRequestStart(controller: Controller, context: unknown): void {
    const { signal } = this.#deps;
    const abort = (): void => controller.abort(signal?.reason as Error);
    if (signal?.aborted === true) abort();
    signal?.addEventListener("abort", abort, { once: true });
    this.#unlisten = () => signal?.removeEventListener("abort", abort);
    this.#handler.onRequestStart?.(controller, context);
  }

  onRequestUpgrade(...args: Parameters<NonNullable<Dispatcher.DispatchHandler["onRequestUpgrade"]>>): void {
    this.#unlisten();
    this.#deps.report(true);
    this.#handler.onRequestUpgrade?.(...args);
  }

  onResponseStart(controller: Controller, status: number, headers: ResponseHeaders, message?: string): void {
    // What comes before the answer itself.
    if (status >= 200) {
      this.#deps.report(status < 500);
      if (status >= 500 && this.#deps.retry({ status })) {
        this.#isDropped = true;
        return;
      }
    }
    this.#handler.onResponseStart?.(controller, status, headers, message);
  }

  onResponseData(controller: Controller, chunk: Buffer): void {
    if (!this.#isDropped) this.#handler.onResponseData?.(controller, chunk);
  }

  onResponseEnd(controller: Controller, trailers: ResponseHeaders): void {
    this.#unlisten();
    if (!this.#isDropped) this.#handler.onResponseEnd?.(controller, trailers);
  }

  onResponseError(controller: Controller, error: Error): void {
    this.#unlisten();
    if (this.#isDropped) return;
    const isOver = this.#deps.signal?.aborted === true;
    if (isOver || isFailure(error, null)) this.#deps.report(false);
    if (!isOver && this.#deps.retry({ error })) return;
    this.#handler.onResponseError?.(controller, isOver ? (this.#deps.signal?.reason as Error) : error);
  }
}
