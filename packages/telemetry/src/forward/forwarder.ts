import { readFileSync } from "node:fs";
import { gzipSync } from "node:zlib";
import { type Backoff, backoff, describeError, userAgent } from "@datawire/runtime";
import { joinBodies } from "./join-bodies.ts";
import { BATCH_REQUESTS_MAX, type ForwardQueue, type QueuedBatch } from "./queue.ts";

/** Where everything is forwarded. */
export interface ForwardTarget {
  /** `https://collector:4318`; `/v1/traces` and `/v1/logs` follow. */
  readonly url: string;
  /** A file with lines `NAME: VALUE`, read anew for each batch. */
  readonly headersFile: string | null;
}

interface ForwarderDeps {
  readonly queue: ForwardQueue;
  /** Told how many spans and events the collector refused for good. */
  readonly refused: (count: number, why: string) => void;
  /** Told why nothing gets through at the moment. */
  readonly stuck: (why: string) => void;
  /** Told of each batch that got through. */
  readonly accepted: () => void;
}

const PAYLOAD_TOO_LARGE = 413;
const ANSWER_MS_MAX = 30_000;
const FIRST_RETRY_MS = 1_000;
const RETRY_MS_MAX = 60_000;
/** What is refused for the moment (opentelemetry.io/docs/specs/otlp, "Retryable Response Codes"). */
const RETRYABLE: ReadonlySet<number> = new Set([408, 429, 502, 503, 504]);

/** Sends what waits in a queue to a collector, the oldest first, one batch at a time, for as long as it takes. */
export class Forwarder {
  readonly #deps: ForwarderDeps;
  #target: ForwardTarget;
  readonly #ended = new AbortController();
  #wake = Promise.withResolvers<void>();
  #retry: Backoff = fresh();
  #requestsMax = BATCH_REQUESTS_MAX;

  constructor(target: ForwardTarget, deps: ForwarderDeps) {
    this.#target = target;
    this.#deps = deps;
    void this.#run();
  }

  /** Sends to another one from the next batch on. */
  setTarget(target: ForwardTarget): void {
    this.#target = target;
    this.#retry = fresh();
    this.wake();
  }

  /** Something waits. */
  wake(): void {
    this.#wake.resolve();
  }

  /** Sends nothing more; what waits stays in the queue. */
  close(): void {
    this.#ended.abort();
    this.wake();
  }

  async #run(): Promise<void> {
    while (!this.#ended.signal.aborted) {
      this.#wake = Promise.withResolvers();
      try {
        const batch = this.#deps.queue.take(this.#requestsMax);
        if (batch === null) await this.#wake.promise;
        else await this.#send(batch);
      } catch (error) {
        // The disk is away; the queue says more when somebody writes to it.
        await this.#pause(describeError(error), null);
      }
    }
  }

  async #send(batch: QueuedBatch): Promise<void> {
    const { signal, format, last, records } = batch;
    let response: Response;
    try {
      const type = format === "json" ? "application/json" : "application/x-protobuf";
      response = await fetch(`${this.#target.url.replace(/\/+$/, "")}/v1/${signal}`, {
        method: "POST",
        redirect: "error",
        headers: {
          ...this.#headers(),
          "content-type": type,
          "content-encoding": "gzip",
          "user-agent": userAgent("datawire"),
        },
        body: gzipSync(joinBodies(batch.bodies, batch)),
        signal: AbortSignal.any([this.#ended.signal, AbortSignal.timeout(ANSWER_MS_MAX)]),
      });
      await response.arrayBuffer();
    } catch (error) {
      return this.#pause(describeError(error), null);
    }
    if (RETRYABLE.has(response.status)) {
      const seconds = Number(response.headers.get("retry-after"));
      return this.#pause(`it answers ${response.status}`, seconds > 0 ? seconds * 1_000 : null);
    }
    if (response.status === PAYLOAD_TOO_LARGE && batch.bodies.length > 1) {
      this.#requestsMax = Math.ceil(batch.bodies.length / 2);
      return;
    }
    this.#deps.queue.done(last);
    this.#retry = fresh();
    this.#requestsMax = Math.min(BATCH_REQUESTS_MAX, this.#requestsMax + 1);
    if (response.ok) this.#deps.accepted();
    else this.#deps.refused(records, `it answers ${response.status} to ${signal}`);
  }

  #headers(): Record<string, string> {
    const { headersFile } = this.#target;
    if (headersFile === null) return {};
    const lines = readFileSync(headersFile, "utf8").split("\n");
    return Object.fromEntries(
      lines.flatMap((line): [string, string][] => {
        const [, name, value] = /^\s*([!#$%&'*+.^_`|~\w-]+)\s*:\s*(.*?)\s*$/.exec(line) ?? [];
        return name === undefined || value === undefined ? [] : [[name.toLowerCase(), value]];
      }),
    );
  }

  async #pause(why: string, askedMs: number | null): Promise<void> {
    if (this.#ended.signal.aborted) return;
    this.#deps.stuck(why);
    const { delayMs, backoff: next } = this.#retry.next();
    this.#retry = next;
    const waitMs = Math.min(RETRY_MS_MAX, Math.max(delayMs, askedMs ?? 0, FIRST_RETRY_MS / 2));
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, waitMs);
      this.#ended.signal.addEventListener(
        "abort",
        () => {
          clearTimeout(timer);
          resolve();
        },
        { once: true },
      );
    });
  }
}

const fresh = (): Backoff => backoff({ baseMs: FIRST_RETRY_MS, capMs: RETRY_MS_MAX, random: Math.random });
