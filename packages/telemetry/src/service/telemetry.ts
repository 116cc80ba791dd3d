import type { EventRecord } from "../model/records.ts";
import type { Question } from "../query/questions.ts";
import type { Answered, OtlpBody, ThreadSettings } from "../worker/messages.ts";

/** How taking something ended: on the disk, to come again, or refused for good. */
export type Written = Extract<Answered, { state: "kept" | "later" | "too-large" | "refused" }>;
/** How a question ended. */
export type Found = Extract<Answered, { state: "found" | "unchanged" | "refused" }>;

/** Where the traces and logs of all tenants are kept. Nothing of it ever throws, waits for a disk, or holds a request up. */
export interface Telemetry {
  /** Whether anything is kept here. */
  readonly isOn: boolean;
  /** Takes a request of OTLP; what it says is on the disk once this resolves to `kept`. */
  otlp(body: OtlpBody): Promise<Written>;
  /**
   * Takes events that came otherwise, as over the link or from an original MDK. Whoever sent them is acknowledged once
   * this resolves to `kept`; after `later`, the same events are to be given again after `afterMs`.
   * @param tenant null for those who belong to none.
   */
  append(tenant: string | null, events: readonly EventRecord[]): Promise<Written>;
  /** Finds what is asked for, as the JSON of the answer. */
  ask(tenant: string | null, question: Question): Promise<Found>;
  /** What was lost since the start, by reason: of a tenant what was its own, of no tenant all. */
  lost(tenant: string | null): Readonly<Record<string, number>>;
  /** Calls `listener` whenever something of the tenant can be found that could not before; the function returned ends it. */
  follow(tenant: string | null, listener: () => void): () => void;
  /** Room in memory for bodies that are being read; false where there is none left. */
  reserve(bytes: number): boolean;
  release(bytes: number): void;
  /** Takes the settings that may change while it runs. */
  configure(settings: ThreadSettings): void;
  /** Resolves once what came is on the disk, or after a moment where it cannot be. */
  close(): Promise<void>;
}

/** The answer to what finds no room in memory: the sender is to come again in a second. */
export const BUSY: Extract<Answered, { state: "later" }> = {
  state: "later",
  why: "rate",
  message: "Cannot take more: too much waits to be kept",
  afterMs: 1_000,
};

const OFF: Extract<Answered, { state: "refused" }> = {
  state: "refused",
  code: "not_found",
  message: "Cannot find or keep traces and logs: `traces.store` is off in this directory",
};

/** Keeps nothing. */
export const noTelemetry: Telemetry = {
  isOn: false,
  otlp: () => Promise.resolve(OFF),
  append: () => Promise.resolve(OFF),
  ask: () => Promise.resolve(OFF),
  lost: () => ({}),
  follow: () => () => {},
  reserve: () => true,
  release() {},
  configure() {},
  close: () => Promise.resolve(),
};
