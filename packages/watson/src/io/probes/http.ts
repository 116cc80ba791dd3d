import { Client, type Dispatcher } from "undici";
import type { Probe } from "../../core/belief.ts";
import type { HttpProbe } from "../../core/instance.ts";
import { type Answer, BODY_BYTES_MAX, createExpectation } from "./expectation.ts";
import type { Prober, ProberDeps } from "./prober.ts";
import { failure } from "./reason.ts";
import { tlsOptions } from "./tls.ts";

/**
 * Makes the prober of an HTTP/1.1 check.
 *
 * Every probe opens a connection of its own (`pipelining: 0` makes undici close each after its answer): a server that
 * has closed its port goes on answering over connections that it has, and would be found live for as long as one is
 * kept. Redirects are not followed: a dispatch does not.
 */
export function createHttpProber(settings: HttpProbe, deps: ProberDeps): Prober {
  const url = new URL(settings.url);
  const judge = createExpectation(settings);
  const client = new Client(url.origin, {
    pipelining: 0,
    // The check's own time-out is the only one.
    headersTimeout: 0,
    bodyTimeout: 0,
    connect: { lookup: deps.lookup, timeout: 0, ...tlsOptions(settings, deps) },
  });
  const request: Dispatcher.DispatchOptions = {
    path: `${url.pathname}${url.search}`,
    method: settings.method,
    headers: { "user-agent": "datawire-watson", ...settings.headers },
  };
  let last: Exchange | null = null;
  return {
    probe: (signal) =>
      new Promise<Probe>((resolve) => {
        last?.abort(); // its body, which nobody waits for, may have no end; the client makes one request at a time
        const exchange = new Exchange(settings.body !== null, (end) => {
          resolve("error" in end ? failure(end.error, url.host) : judge(end));
        });
        last = exchange;
        client.dispatch(request, exchange);
        signal.addEventListener("abort", () => exchange.abort(), { once: true });
      }),
    close: () => void client.destroy().catch(() => {}),
  };
}

type End = Answer | { readonly error: unknown };

/** One request. A handler of undici's own kind, as the stream of its `request` would be most of the cost of a check. */
class Exchange implements Dispatcher.DispatchHandler {
  readonly #wantsBody: boolean;
  readonly #end: (end: End) => void;
  readonly #chunks: Buffer[] = [];
  #bytes = 0;
  #status = 0;
  #controller: Dispatcher.DispatchController | null = null;
  #isAborted = false;
  #isOver = false;

  constructor(wantsBody: boolean, end: (end: End) => void) {
    this.#wantsBody = wantsBody;
    this.#end = end;
  }

  /** Ends it where it has not ended yet. */
  abort(): void {
    if (this.#isOver) return;
    this.#isAborted = true;
    this.#controller?.abort(new Error("the check is over"));
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    this.#controller = controller;
    if (this.#isAborted) this.abort();
  }

  onResponseStart(_: Dispatcher.DispatchController, status: number): void {
    if (status < 200) return; // 103 Early Hints and the like: the answer is still to come
    this.#status = status;
    // How the rest of the answer fares is no part of a check of the status.
    if (!this.#wantsBody) this.#end({ status, body: null });
  }

  onResponseData(controller: Dispatcher.DispatchController, chunk: Buffer): void {
    this.#bytes += chunk.length;
    if (this.#wantsBody) this.#chunks.push(chunk);
    if (this.#bytes < BODY_BYTES_MAX) return;
    this.onResponseEnd();
    controller.abort(new Error("the rest of the body is of no interest"));
  }

  onResponseEnd(): void {
    this.#isOver = true;
    if (!this.#wantsBody) return;
    const body = Buffer.concat(this.#chunks).subarray(0, BODY_BYTES_MAX).toString("utf8");
    this.#end({ status: this.#status, body });
  }

  onResponseError(_: Dispatcher.DispatchController, error: Error): void {
    this.#isOver = true;
    this.#end({ error });
  }
}
