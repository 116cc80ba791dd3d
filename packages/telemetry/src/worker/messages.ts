import type { ErrorCode } from "@datawire/protocol";
import type { ForwardProblem, ForwardSettings } from "../forward/forwarding.ts";
import type { LossReason } from "../intake/loss.ts";
import type { EventRecord } from "../model/records.ts";
import type { Format, Signal } from "../otlp/signals.ts";
import type { Question } from "../query/questions.ts";

/** The settings by which the thread works. */
export interface ThreadSettings {
  readonly sizeBytes: number;
  readonly ageMs: number;
  readonly perSecond: number;
  /** From 0 to 1. */
  readonly sample: number;
  /** Whether anything is kept here. */
  readonly keep: boolean;
  readonly forward: ForwardSettings | null;
}

/** What a thread is started with. */
export interface ThreadStart {
  readonly folder: string;
  /** How this directory is known to the others. */
  readonly self: string;
  readonly settings: ThreadSettings;
}

/** A request of OTLP as it came. */
export interface OtlpBody {
  /** Empty for those who belong to none. */
  readonly tenant: string;
  readonly signal: Signal;
  readonly format: Format;
  readonly gzip: boolean;
  readonly bytes: Uint8Array;
}

/** What the thread is asked, each with the number of its answer. */
export type Asked =
  | ({ readonly kind: "otlp" } & OtlpBody)
  | { readonly kind: "append"; readonly tenant: string; readonly events: readonly EventRecord[] }
  | { readonly kind: "ask"; readonly tenant: string; readonly question: Question }
  | { readonly kind: "close" };

/** What the thread is told. */
export type ToThread =
  | { readonly kind: "asked"; readonly id: number; readonly asked: Asked }
  | { readonly kind: "configure"; readonly settings: ThreadSettings };

/** How a request was answered. */
export type Answered =
  | { readonly state: "kept"; readonly body: Uint8Array }
  /** Found: JSON, or null where there is nothing by that id; of a trace also its revision, which is another one once it has more. */
  | { readonly state: "found"; readonly json: Uint8Array | null; readonly revision?: string }
  /** The answer with this revision, which whoever asks has, is still right. */
  | { readonly state: "unchanged"; readonly revision: string }
  | { readonly state: "later"; readonly why: "rate" | "disk"; readonly message: string; readonly afterMs: number }
  | { readonly state: "too-large"; readonly message: string }
  | { readonly state: "refused"; readonly code: ErrorCode; readonly message: string };

/** What is wrong with the store. */
export interface StoreFault {
  /** `failed`: this program, and not the disk. */
  readonly kind: "full" | "out-of-reach" | "failed";
  readonly message: string;
  readonly sinceMs: number;
}

/** Records that nobody finds any more, as their files were taken away. */
export interface GoneRecords {
  readonly folder: string;
  readonly count: number;
  /** When that was seen first. */
  readonly sinceMs: number;
}

/** What the thread tells. */
export type FromThread =
  | { readonly kind: "answered"; readonly id: number; readonly answer: Answered }
  | { readonly kind: "lost"; readonly tenant: string; readonly reason: LossReason; readonly count: number }
  | { readonly kind: "set-aside"; readonly path: string; readonly message: string }
  /** What was set aside was removed. */
  | { readonly kind: "aside-removed" }
  /** How many files of a newer version there are. */
  | { readonly kind: "newer"; readonly files: number }
  /** What was taken away; null once it is back, or would be too old. */
  | { readonly kind: "gone"; readonly gone: GoneRecords | null }
  | { readonly kind: "forwarding"; readonly problem: ForwardProblem | null }
  | { readonly kind: "fault"; readonly fault: StoreFault | null }
  /** Something of these tenants is on the disk, and can be found. */
  | { readonly kind: "stored"; readonly tenants: readonly string[] };
