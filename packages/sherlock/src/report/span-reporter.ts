import { ProtocolError, type ErrorCode } from "@datawire/protocol";
import { aborted, backoff, type Clock, describeError, type Logger, type ProblemBoard } from "@datawire/runtime";
import { otlpSpans, type SpanContext } from "../core/observe/otlp-spans.ts";
import { type ProxiedRequest, SpanLines } from "../core/observe/span-lines.ts";
import type { BackendNames } from "../haproxy/backend-names.ts";
import type { Metrics } from "./metrics.ts";
import type { SpanPipe } from "./spans.ts";

/** What spans are made of, and where they go. */
export interface SpanReporterDeps {
  readonly pipe: SpanPipe;
  readonly names: Pick<BackendNames, "own">;
  readonly context: SpanContext;
  /** Sends JSON to the directory. @throws as a client of it does. */
  readonly post: (path: string, body: unknown) => Promise<unknown>;
  readonly metrics: Pick<Metrics, "spansSent" | "spansDropped">;
  readonly clock: Clock;
  readonly log: Logger;
  readonly board: Pick<ProblemBoard, "set">;
}

const SEND_MS = 500;
const BATCH_MAX = 1_000;
/** What waits for the directory; past it the oldest go. */
const QUEUE_MAX = 10_000;
const RETRY = { baseMs: 1_000, capMs: 15_000 };
/** At the end there is so long for what is left. */
const LAST_MS_MAX = 500;

/** With these the directory may take the same later. */
const LATER: ReadonlySet<ErrorCode> = new Set(["limit_exceeded", "unavailable"]);

/** Brings requests that HAProxy tells of to the directory, as spans. It never makes a request wait. */
export class SpanReporter {
  readonly #deps: SpanReporterDeps;
  readonly #lines: SpanLines;
  #queue: ProxiedRequest[] = [];
  #problem: string | null = null;
  #sending: Promise<boolean> = Promise.resolve(true);

  constructor(deps: SpanReporterDeps) {
    this.#deps = deps;
    this.#lines = new SpanLines(deps.pipe.of, deps.names.own);
  }

  /** Takes and sends what comes until the signal aborts; then what has come by then. */
  async run(signal: AbortSignal): Promise<void> {
    const { pipe, clock } = this.#deps;
    await Promise.all([pipe.run((text) => this.#take(text), clock, signal), this.#sendUntil(signal)]);
    const enough = new AbortController();
    const last = this.#sending.then(() => (this.#queue.length === 0 ? true : this.#sendNext()));
    await Promise.race([last, clock.sleep(LAST_MS_MAX, enough.signal)]);
    enough.abort();
    this.#drop("queue", this.#queue.length);
  }

  #take(text: string): void {
    this.#queue.push(...this.#lines.add(text));
    this.#drop("pipe", this.#lines.takeLost());
    const excess = this.#queue.length - QUEUE_MAX;
    if (excess <= 0) return;
    this.#queue.splice(0, excess);
    this.#drop("queue", excess);
    this.#tell(
      "more spans come than the directory takes: the oldest are lost",
      "choose fewer, or raise its `traces.rate`",
    );
  }

  async #sendUntil(signal: AbortSignal): Promise<void> {
    const { clock } = this.#deps;
    const start = backoff({ ...RETRY, random: Math.random });
    let next = start;
    while (!signal.aborted) {
      await clock.sleep(SEND_MS, signal);
      while (this.#queue.length > 0 && !signal.aborted) {
        // Nobody waits for an answer at the end.
        const taken = await Promise.race([this.#sendNext(), aborted(signal).then(() => true)]);
        if (taken) {
          next = start;
          continue;
        }
        const { delayMs, backoff: later } = next.next();
        next = later;
        await clock.sleep(RETRY.baseMs / 2 + delayMs, signal);
      }
    }
  }

  /** Sends the oldest; never rejects. @returns whether they are done with. */
  #sendNext(): Promise<boolean> {
    return (this.#sending = this.#send());
  }

  async #send(): Promise<boolean> {
    const { context, post, metrics } = this.#deps;
    const batch = this.#queue.slice(0, BATCH_MAX);
    const done = (): void => {
      const sent = new Set(batch);
      // While they were on their way, some of them may have made room.
      this.#queue = this.#queue.filter((one) => !sent.has(one));
    };
    try {
      const rejected = rejectedIn(await post("/v1/traces", otlpSpans(batch, context)));
      done();
      metrics.spansSent(batch.length - rejected);
      this.#drop("refused", rejected);
      this.#mended();
      return true;
    } catch (error) {
      if (!(error instanceof ProtocolError) || LATER.has(error.code)) {
        this.#tell(`are not taken now: ${describeError(error)}`, "they are sent again; see the directory");
        return false;
      }
      done();
      this.#drop("refused", batch.length);
      this.#tell(`are not taken: ${describeError(error)}`, "see the token of this Sherlock; `spans: off` does without");
      return true;
    }
  }

  #drop(reason: "pipe" | "queue" | "refused", count: number): void {
    if (count > 0) this.#deps.metrics.spansDropped(reason, count);
  }

  #tell(message: string, remedy: string): void {
    const { log, board } = this.#deps;
    if (this.#problem === null) log.warn("Spans of requests are lost or late", { why: message });
    this.#problem = message;
    board.set("spans", [{ subject: "spans", message, remedy }]);
  }

  #mended(): void {
    if (this.#problem === null || this.#queue.length > QUEUE_MAX / 2) return;
    this.#problem = null;
    this.#deps.board.set("spans", []);
  }
}

/** How many were not taken, by the partial success of OTLP. */
function rejectedIn(answer: unknown): number {
  const { partialSuccess } = (answer ?? {}) as { readonly partialSuccess?: { readonly rejectedSpans?: unknown } };
  const rejected = Number(partialSuccess?.rejectedSpans ?? 0);
  return Number.isFinite(rejected) && rejected > 0 ? rejected : 0;
}
