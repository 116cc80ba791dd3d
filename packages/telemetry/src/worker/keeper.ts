import { describeError, systemErrorCode } from "@datawire/runtime";
import { ProtocolError } from "@datawire/protocol";
import { RateLimit } from "../intake/rate.ts";
import { readRequest } from "../intake/read-request.ts";
import { Sampler } from "../intake/sample.ts";
import { TooLarge, unpack } from "../intake/unpack.ts";
import type { LossReason } from "../intake/loss.ts";
import { Forwarding } from "../forward/forwarding.ts";
import type { QueuedRequest } from "../forward/queue.ts";
import { encodeLogs } from "../otlp/encode-logs.ts";
import type { EventRecord, Records } from "../model/records.ts";
import { encodePartialSuccess } from "../otlp/protobuf.ts";
import { partialSuccessJson } from "../otlp/signals.ts";
import { findLogs } from "../search/find-logs.ts";
import { findTraces } from "../search/find-traces.ts";
import { readTrace } from "../search/read-trace.ts";
import type { LogsQuestion, Question, TraceQuestion, TracesQuestion } from "../query/questions.ts";
import { faultOf } from "../store/faults.ts";
import { HourFiles } from "../store/hour-files.ts";
import { Gone } from "./gone.ts";
import { type Came, Commits, countOf } from "./commits.ts";
import type { Answered, FromThread, OtlpBody, StoreFault, ThreadSettings, ThreadStart } from "./messages.ts";

/** A store that cannot be written is tried again after so long; whoever sends something until then is sent away. */
const RETRY_MS = 1_000;
/** Old files are looked for so often. */
const EXPIRE_MS = 60_000;

interface KeepOptions {
  readonly textBytes: number;
  readonly forwarded: QueuedRequest | null;
  /** Whether whoever sent it gives it again until it is kept; default: it may be lost. */
  readonly waits?: boolean;
}

const WHY: Readonly<Record<StoreFault["kind"], string>> = {
  full: "its disk is full",
  "out-of-reach": "its disk cannot be written",
  failed: "its store failed",
};

const NOTHING = { spans: [], events: [], left: 0 } as const;

interface KeeperDeps {
  readonly nowMs: () => number;
  readonly tell: (message: FromThread) => void;
}

/** Keeps what comes, and finds it: all that the thread of the store does. */
export class Keeper {
  readonly #start: ThreadStart;
  readonly #deps: KeeperDeps;
  readonly #files: HourFiles;
  readonly #commits: Commits;
  readonly #rate: RateLimit;
  readonly #sampler: Sampler;
  readonly #forwarding: Forwarding;
  #keeps: boolean;
  #ageMs: number;
  readonly #timers: readonly NodeJS.Timeout[];
  #fault: StoreFault | null = null;
  readonly #gone: Gone;
  /** Whether a damaged file was set aside, and nobody has removed it. */
  #isAside = false;
  #triedMs = Number.NEGATIVE_INFINITY;
  #isOpen = false;

  constructor(start: ThreadStart, deps: KeeperDeps) {
    const { sizeBytes, ageMs, perSecond, sample, keep, forward } = start.settings;
    this.#keeps = keep;
    this.#ageMs = ageMs;
    this.#start = start;
    this.#deps = deps;
    this.#gone = new Gone(start.folder, {
      nowMs: deps.nowMs,
      lost: (count) => this.#lost("", "gone", count),
      tell: (gone) => deps.tell({ kind: "gone", gone }),
    });
    this.#files = new HourFiles(
      start.folder,
      { sizeBytes, ageMs },
      {
        nowMs: deps.nowMs,
        lost: (reason, count) => this.#lost("", reason, count),
        gone: (count) => this.#gone.took(count),
        setAside: (path, error) => {
          this.#isAside = true;
          deps.tell({ kind: "set-aside", path, message: describeError(error) });
        },
        newer: (files) => deps.tell({ kind: "newer", files }),
      },
    );
    this.#commits = new Commits((batch, textBytes) => this.#write(batch, textBytes));
    this.#rate = new RateLimit(perSecond, performance.now());
    this.#sampler = new Sampler(sample);
    this.#timers = [setInterval(() => this.#probe(), RETRY_MS), setInterval(() => this.#expire(), EXPIRE_MS)];
    this.#trying(() => this.#open());
    this.#forwarding = new Forwarding(start.folder, forward, {
      lost: (reason, count) => this.#lost("", reason, count),
      problem: (problem) => deps.tell({ kind: "forwarding", problem }),
    });
  }

  configure({ sizeBytes, ageMs, perSecond, sample, keep, forward }: ThreadSettings): void {
    this.#keeps = keep;
    this.#ageMs = ageMs;
    this.#forwarding.configure(forward);
    this.#files.setBounds({ sizeBytes, ageMs });
    this.#rate.set(perSecond);
    this.#sampler.set(sample);
    this.#expire();
  }

  /** Takes a request of OTLP; it is on the disk once this resolves to `kept`. */
  async otlp({ tenant, signal, format, gzip, bytes }: OtlpBody): Promise<Answered> {
    try {
      const unpacked = unpack(bytes, gzip);
      const { rejected, ...records } = readRequest(unpacked, { signal, format, nowMs: this.#deps.nowMs() });
      if (signal !== "metrics") this.#lost(tenant, "malformed", rejected.count);
      const forwarded: QueuedRequest | null =
        this.#forwarding.isOn && signal !== "metrics"
          ? { signal, format, body: unpacked, records: countOf(records) }
          : null;
      const answer = await this.#keep(tenant, records, { textBytes: unpacked.length, forwarded });
      if (answer !== null) return answer;
      const body =
        format === "protobuf"
          ? encodePartialSuccess(rejected)
          : Buffer.from(JSON.stringify(partialSuccessJson(signal, rejected)));
      return { state: "kept", body };
    } catch (error) {
      return refusalOf(error);
    }
  }

  /** Takes events that did not come as OTLP; they are on the disk once this resolves to `kept`. */
  async append(tenant: string, events: readonly EventRecord[]): Promise<Answered> {
    const textBytes = events.reduce((sum, { text }) => sum + text.length + 200, 0);
    try {
      const forwarded: QueuedRequest | null = this.#forwarding.isOn
        ? { signal: "logs", format: "protobuf", body: encodeLogs(events), records: events.length }
        : null;
      // What is not kept now is given again: nothing of it is lost.
      const answer = await this.#keep(tenant, { spans: [], events }, { textBytes, forwarded, waits: true });
      return answer ?? { state: "kept", body: new Uint8Array() };
    } catch (error) {
      return refusalOf(error);
    }
  }

  /** Finds what is asked for. */
  async ask(tenant: string, question: Question): Promise<Answered> {
    try {
      if (question.of === "trace") return await this.#trace(tenant, question);
      return { state: "found", json: jsonOf(await this.#find(tenant, question)) };
    } catch (error) {
      return refusalOf(error);
    }
  }

  close(): void {
    for (const timer of this.#timers) clearInterval(timer);
    this.#commits.flush();
    this.#forwarding.close();
    this.#files.close();
  }

  #find(tenant: string, question: TracesQuestion | LogsQuestion): Promise<object> {
    return question.of === "traces"
      ? findTraces(this.#files, tenant, question)
      : findLogs(this.#files, { tenant, self: this.#start.self }, question);
  }

  async #trace(tenant: string, question: TraceQuestion): Promise<Answered> {
    const read = await readTrace(this.#files, { tenant, self: this.#start.self }, question);
    if (read === null) return { state: "found", json: null };
    if (read.state === "unchanged") return read;
    return { state: "found", json: jsonOf(read.found), revision: read.revision };
  }

  /** Resolves to null once what is to be kept is on the disk, and to why not. */
  async #keep(
    tenant: string,
    records: Records,
    { textBytes, forwarded, waits = false }: KeepOptions,
  ): Promise<Answered | null> {
    const count = countOf(records);
    if (count === 0) return null;
    const waitMs = this.#rate.take(count, performance.now());
    if (waitMs > 0) {
      if (!waits) this.#lost(tenant, "rate", count);
      const message = "Cannot take more: more spans and events come than traces.rate allows";
      return { state: "later", why: "rate", message, afterMs: waitMs };
    }
    const { left, ...kept } = this.#keeps ? this.#sampler.sample(records) : NOTHING;
    this.#lost(tenant, "sample", left);
    if (countOf(kept) === 0 && forwarded === null) return null;
    const { kind: wrong = "failed" } = this.#fault ?? {};
    const isAway = wrong !== "failed" && performance.now() - this.#triedMs < RETRY_MS;
    if (isAway) return this.#away(tenant, waits ? 0 : count - left);
    try {
      await this.#commits.add({ records: { tenant, ...kept }, forwarded }, textBytes);
      return null;
    } catch {
      return this.#away(tenant, waits ? 0 : count - left);
    }
  }

  #away(tenant: string, count: number): Answered {
    this.#lost(tenant, "disk", count);
    const why = WHY[this.#fault?.kind ?? "failed"];
    return { state: "later", why: "disk", message: `Cannot keep traces: ${why}`, afterMs: RETRY_MS };
  }

  #write(batch: readonly Came[], textBytes: number): void {
    const kept = batch.flatMap(({ records }) => (countOf(records) === 0 ? [] : [records]));
    this.#trying(() => {
      if (!this.#isOpen) this.#open();
      if (kept.length > 0) this.#files.write(kept, textBytes);
      this.#forwarding.push(batch.flatMap(({ forwarded }) => forwarded ?? []));
    }, true);
    if (kept.length > 0) this.#deps.tell({ kind: "stored", tenants: [...new Set(kept.map(({ tenant }) => tenant))] });
  }

  #open(): void {
    this.#files.open();
    this.#isOpen = true;
    this.#files.expire();
  }

  #expire(): void {
    if (!this.#isOpen) return;
    this.#trying(() => this.#files.expire());
    this.#gone.expire(this.#ageMs);
    if (!this.#isAside || this.#files.hasDamaged) return;
    this.#isAside = false;
    this.#deps.tell({ kind: "aside-removed" });
  }

  /** Looks whether a disk that was away or full has come back, and whether the files are still there. */
  #probe(): void {
    if (this.#isOpen) this.#gone.see(this.#files.away);
    if (this.#fault === null || performance.now() - this.#triedMs < RETRY_MS) return;
    this.#trying(() => {
      if (!this.#isOpen) this.#open();
      this.#files.write([], 0);
    });
  }

  /** Notes whether the disk can be used. */
  #trying(work: () => void, rethrow = false): void {
    try {
      work();
      if (this.#fault !== null) this.#deps.tell({ kind: "fault", fault: (this.#fault = null) });
    } catch (error) {
      this.#triedMs = performance.now();
      const { kind, message } = faultOf(error, this.#start.folder);
      if (kind === "out-of-reach") {
        // What is open may lead nowhere; the next attempt opens it anew.
        this.#files.close();
        this.#isOpen = false;
      }
      const sinceMs = this.#fault?.sinceMs ?? this.#deps.nowMs();
      // One that is damaged after another one was set aside is of the disk.
      const ofStore = kind === "damaged" || kind === "newer" ? "out-of-reach" : kind;
      const fault: StoreFault = { kind: ofStore, message, sinceMs };
      if (this.#fault?.message !== message) this.#deps.tell({ kind: "fault", fault });
      this.#fault = fault;
      if (rethrow) throw error;
    }
  }

  #lost(tenant: string, reason: LossReason, count: number): void {
    if (count > 0) this.#deps.tell({ kind: "lost", tenant, reason, count });
  }
}

const jsonOf = (value: object): Uint8Array => Buffer.from(JSON.stringify(value));

function refusalOf(error: unknown): Answered {
  if (error instanceof TooLarge) return { state: "too-large", message: error.message };
  if (error instanceof ProtocolError) return { state: "refused", code: error.code, message: error.message };
  if (error instanceof RangeError || systemErrorCode(error) !== undefined)
    return { state: "refused", code: "unavailable", message: `Cannot answer: ${describeError(error)}` };
  throw error;
}
