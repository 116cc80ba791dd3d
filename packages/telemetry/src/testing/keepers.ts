import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { LogEvent, Span, TraceSummary } from "@datawire/api";
import { logsQuestion, type Question, tracesQuestion } from "../query/questions.ts";
import { traceKey } from "../model/records.ts";
import { Keeper } from "../worker/keeper.ts";
import type { Answered, FromThread, ThreadSettings } from "../worker/messages.ts";
import { bytesOf, logRequest, type SpanFields, spanOf, traceRequest } from "./requests.ts";

/** Settings that bound nothing that a test does. */
export const TEST_SETTINGS: ThreadSettings = {
  sizeBytes: 1024 ** 3,
  ageMs: 86_400_000,
  perSecond: 1_000_000,
  sample: 1,
  keep: true,
  forward: null,
};

type Query = Readonly<Partial<Record<string, string>>>;

/** A store on real files, in the thread of the test and at a time that the test sets. */
export class TestKeeper {
  readonly folder: string;
  readonly told: FromThread[] = [];
  readonly #settings: Partial<ThreadSettings>;
  keeper: Keeper;
  nowMs = Date.parse("2026-11-30T12:30:00Z");

  constructor(settings: Partial<ThreadSettings> = {}, folder = mkdtempSync(join(tmpdir(), "datawire-traces-"))) {
    this.folder = folder;
    this.#settings = settings;
    this.keeper = this.#open();
  }

  /** How many were lost, by reason. */
  get lost(): Readonly<Record<string, number>> {
    const counts = new Map<string, number>();
    for (const message of this.told)
      if (message.kind === "lost") counts.set(message.reason, (counts.get(message.reason) ?? 0) + message.count);
    return Object.fromEntries(counts);
  }

  /** Closes the store and opens it again. */
  restart(): void {
    this.keeper.close();
    this.keeper = this.#open();
  }

  /** Takes spans as a client sends them. */
  spans(spans: readonly SpanFields[], { tenant = "", resource }: { tenant?: string; resource?: object } = {}) {
    return this.send("traces", traceRequest(spans.map(spanOf), resource), tenant);
  }

  /** Takes log records as a client sends them. */
  logs(records: readonly object[], tenant = "") {
    return this.send("logs", logRequest(records), tenant);
  }

  send(signal: "traces" | "logs", body: object, tenant = ""): Promise<Answered> {
    return this.keeper.otlp({ tenant, signal, format: "json", gzip: false, bytes: bytesOf(body) });
  }

  /** What `GET /v1/traces` finds. */
  async traces(query: Query = {}, tenant = ""): Promise<{ traces: TraceSummary[]; next: string | null }> {
    return (await this.ask(tracesQuestion(query, this.nowMs), tenant)) as {
      traces: TraceSummary[];
      next: string | null;
    };
  }

  /** What `GET /v1/traces/ID` finds. */
  async trace(id: string, tenant = ""): Promise<{ spans: Span[]; events: LogEvent[]; partial: boolean } | null> {
    return (await this.ask({ of: "trace", trace: traceKey(id) }, tenant)) as {
      spans: Span[];
      events: LogEvent[];
      partial: boolean;
    } | null;
  }

  /** What `GET /v1/logs` finds. */
  async find(query: Query = {}, tenant = ""): Promise<{ events: LogEvent[]; next: string | null; tail: string }> {
    return (await this.ask(logsQuestion(query, this.nowMs), tenant)) as {
      events: LogEvent[];
      next: string | null;
      tail: string;
    };
  }

  async ask(question: Question, tenant = ""): Promise<unknown> {
    const answer = await this.keeper.ask(tenant, question);
    if (answer.state !== "found") throw new Error(JSON.stringify(answer));
    return answer.json === null ? null : JSON.parse(Buffer.from(answer.json).toString());
  }

  /** Closes it and removes its folder. */
  [Symbol.dispose](): void {
    this.keeper.close();
    rmSync(this.folder, { recursive: true, force: true });
  }

  #open(): Keeper {
    return new Keeper(
      { folder: this.folder, self: "self", settings: { ...TEST_SETTINGS, ...this.#settings } },
      { nowMs: () => this.nowMs, tell: (message) => void this.told.push(message) },
    );
  }
}
