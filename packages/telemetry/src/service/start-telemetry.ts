import { existsSync } from "node:fs";
import { Worker } from "node:worker_threads";
import { type Backoff, backoff, type Clock } from "@datawire/runtime";
import type { EventRecord } from "../model/records.ts";
import type { Question } from "../query/questions.ts";
import type {
  Answered,
  Asked,
  FromThread,
  OtlpBody,
  ThreadSettings,
  ThreadStart,
  ToThread,
} from "../worker/messages.ts";
import { StoreProblems, type StoreProblemsDeps } from "./store-problems.ts";
import { Tally } from "./tally.ts";
import { BUSY, type Found, type Telemetry, type Written } from "./telemetry.ts";
import { prepareThreadHeap } from "./thread-heap.ts";

interface TelemetryDeps extends StoreProblemsDeps {
  readonly clock: Clock;
}

/** Bodies, packed as they came, that wait for the thread at once; whoever sends more is asked to come again. */
const WAITING_BYTES_MAX = 64 * 1024 * 1024;
/** Questions that wait at once. */
const QUESTIONS_MAX = 64;
/** The thread is given so much memory; where it wants more, it is ended and begins anew. */
const HEAP_MB_MAX = 512;
/** So long the end waits for the disk. */
const CLOSE_MS_MAX = 2_000;

/** Beside the program where it is bundled, and in its own room where it is not. */
const THREAD = new URL(
  import.meta.url.endsWith(".ts") ? "../worker/thread.ts" : "./telemetry-thread.js",
  import.meta.url,
);

const FAILED: Extract<Answered, { state: "refused" }> = {
  state: "refused",
  code: "unavailable",
  message: "Cannot answer: the store of traces failed, and is being started again",
};
/**
 * Keeps traces in a thread of its own. It may fail as it likes: it is started again. Where nothing was ever kept and
 * nothing is forwarded, it is started with the first request: it weighs 36 MB, and most directories have no traces.
 * @param thread the program of the thread.
 */
export function startTelemetry(start: ThreadStart, deps: TelemetryDeps, thread: URL = THREAD): Telemetry {
  return new ThreadTelemetry(start, deps, thread);
}

class ThreadTelemetry implements Telemetry {
  readonly isOn = true;
  readonly #url: URL;
  #start: ThreadStart;
  readonly #deps: TelemetryDeps;
  readonly #problems: StoreProblems;
  readonly #tally = new Tally();
  readonly #pending = new Map<number, (answer: Answered) => void>();
  readonly #listeners = new Map<string, Set<() => void>>();
  #retry: Backoff = backoff({ baseMs: 1_000, capMs: 30_000, random: Math.random });
  #thread: Worker | null = null;
  #cancelRestart: (() => void) | null = null;
  #nextId = 1;
  #questions = 0;
  #bytes = 0;
  /** Whether the thread was wanted at all so far. */
  #begun = false;
  #closing = false;

  constructor(start: ThreadStart, deps: TelemetryDeps, url: URL) {
    this.#url = url;
    this.#start = start;
    this.#deps = deps;
    this.#problems = new StoreProblems(deps);
    // What is old has to go, and what is queued goes on, also when nobody asks.
    if (existsSync(start.folder) || start.settings.forward !== null) this.#begin();
  }

  async otlp(body: OtlpBody): Promise<Written> {
    // What it was read into is the thread's from here on.
    const own = body.bytes.byteLength === body.bytes.buffer.byteLength ? body.bytes : new Uint8Array(body.bytes);
    return written(await this.#ask({ kind: "otlp", ...body, bytes: own }, [own.buffer as ArrayBuffer]));
  }

  async append(tenant: string | null, events: readonly EventRecord[]): Promise<Written> {
    const bytes = events.reduce((sum, { text }) => sum + text.length + 500, 0);
    if (!this.reserve(bytes)) return BUSY;
    try {
      return written(await this.#ask({ kind: "append", tenant: tenant ?? "", events }));
    } finally {
      this.release(bytes);
    }
  }

  async ask(tenant: string | null, question: Question): Promise<Found> {
    if (this.#questions >= QUESTIONS_MAX)
      return { state: "refused", code: "limit_exceeded", message: "Cannot search: too many searches wait already" };
    this.#questions += 1;
    try {
      const answer = await this.#ask({ kind: "ask", tenant: tenant ?? "", question });
      return isFound(answer) ? answer : FAILED;
    } finally {
      this.#questions -= 1;
    }
  }

  lost(tenant: string | null): Readonly<Record<string, number>> {
    return this.#tally.of(tenant);
  }

  follow(tenant: string | null, listener: () => void): () => void {
    const name = tenant ?? "";
    const listeners = this.#listeners.get(name) ?? new Set();
    this.#listeners.set(name, listeners.add(listener));
    return () => {
      listeners.delete(listener);
      if (listeners.size === 0) this.#listeners.delete(name);
    };
  }

  reserve(bytes: number): boolean {
    if (this.#bytes > 0 && this.#bytes + bytes > WAITING_BYTES_MAX) return false;
    this.#bytes += bytes;
    return true;
  }

  release(bytes: number): void {
    this.#bytes -= bytes;
  }

  configure(settings: ThreadSettings): void {
    this.#start = { ...this.#start, settings };
    if (settings.forward !== null) this.#begin();
    this.#post({ kind: "configure", settings });
  }

  async close(): Promise<void> {
    this.#closing = true;
    this.#cancelRestart?.();
    const thread = this.#thread;
    if (thread === null) return;
    const ended = Promise.withResolvers<void>();
    const cancel = this.#deps.clock.setTimer(CLOSE_MS_MAX, () => ended.resolve());
    void this.#ask({ kind: "close" }).then(() => ended.resolve());
    await ended.promise;
    cancel();
    this.#failAll();
    // A thread that waits for a dead disk does not end; the process need not wait for it.
    void thread.terminate();
  }

  #ask(asked: Asked, transfer: readonly ArrayBuffer[] = []): Promise<Answered> {
    this.#begin();
    const id = this.#nextId;
    this.#nextId += 1;
    return new Promise((resolve) => {
      if (this.#thread === null) return resolve(FAILED);
      this.#pending.set(id, resolve);
      this.#post({ kind: "asked", id, asked }, transfer);
    });
  }

  #post(message: ToThread, transfer: readonly ArrayBuffer[] = []): void {
    this.#thread?.postMessage(message, transfer);
  }

  #begin(): void {
    if (this.#begun || this.#closing) return;
    this.#begun = true;
    this.#startThread();
  }

  #startThread(): void {
    prepareThreadHeap();
    const thread = new Worker(this.#url, {
      name: "traces",
      workerData: this.#start,
      resourceLimits: { maxOldGenerationSizeMb: HEAP_MB_MAX },
    });
    this.#thread = thread;
    let failure: unknown = new Error("it ended");
    thread.on("message", (message: FromThread) => this.#take(message));
    thread.on("error", (error) => (failure = error));
    thread.on("exit", () => this.#ended(thread, failure));
  }

  #ended(thread: Worker, error: unknown): void {
    if (this.#thread !== thread) return;
    this.#thread = null;
    this.#failAll();
    if (this.#closing) return;
    this.#problems.threadFailed(error);
    const { delayMs, backoff: next } = this.#retry.next();
    this.#retry = next;
    this.#cancelRestart = this.#deps.clock.setTimer(delayMs, () => this.#startThread());
  }

  #failAll(): void {
    const pending = [...this.#pending.values()];
    this.#pending.clear();
    for (const resolve of pending) resolve(FAILED);
  }

  #take(message: FromThread): void {
    switch (message.kind) {
      case "answered":
        this.#pending.get(message.id)?.(message.answer);
        this.#pending.delete(message.id);
        return;
      case "lost":
        this.#tally.add(message.tenant, message.reason, message.count);
        return;
      case "set-aside":
        return this.#problems.setAside(message);
      case "aside-removed":
        return this.#problems.asideRemoved();
      case "newer":
        return this.#problems.newer(message.files);
      case "gone":
        return this.#problems.gone(message.gone);
      case "fault":
        return this.#problems.cannotKeep(message.fault);
      case "forwarding":
        return this.#problems.cannotForward(message.problem);
      case "stored":
        for (const tenant of message.tenants) for (const listener of this.#listeners.get(tenant) ?? []) listener();
    }
  }
}

const isFound = (answer: Answered): answer is Found =>
  answer.state === "found" || answer.state === "unchanged" || answer.state === "refused";

const written = (answer: Answered): Written =>
  answer.state === "found" || answer.state === "unchanged" ? FAILED : answer;
