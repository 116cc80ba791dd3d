import type { Span } from "@datawire/api";
import type { LogLevelWord } from "@datawire/protocol";

/** What JSON can hold. */
export type Json = string | number | boolean | null | readonly Json[] | { readonly [key: string]: Json };
/** What is said of something by keys, as OpenTelemetry names them. */
export type Attributes = Readonly<Record<string, Json>>;

/** Who made spans and events: many share one. */
export interface Resource {
  readonly service: string | null;
  readonly version: string | null;
  readonly instance: string | null;
  /** The process or the machine, in the words of whoever sent it. */
  readonly node: string;
  readonly environment: string | null;
  readonly attributes: Attributes;
}

/** A piece of work within a trace. */
export interface SpanRecord {
  /** As it was sent. */
  readonly traceId: string;
  readonly spanId: string;
  readonly parentId: string | null;
  readonly name: string;
  readonly kind: Span["kind"];
  /** Milliseconds since 1970, to the microsecond. */
  readonly start: number;
  readonly durationMs: number;
  readonly status: Span["status"];
  /** What the status says. */
  readonly message: string | null;
  /** The library that made it. */
  readonly scope: string | null;
  readonly attributes: Attributes;
  readonly resource: Resource;
}

/** Something that was logged, within a trace or outside of any. */
export interface EventRecord {
  readonly traceId: string | null;
  readonly spanId: string | null;
  /** When it was within its trace, by the MDK's clock; empty for OTLP. */
  readonly clock: readonly number[];
  /** Milliseconds since 1970, to the microsecond. */
  readonly timestamp: number;
  readonly level: LogLevelWord;
  readonly category: string;
  readonly text: string;
  readonly attributes: Attributes;
  readonly resource: Resource;
}

/** Spans and events that came together. */
export interface Records {
  readonly spans: readonly SpanRecord[];
  readonly events: readonly EventRecord[];
}

/** What a trace id is compared by: its case and hyphens do not matter. */
export const traceKey = (traceId: string): string => traceId.replaceAll("-", "").toLowerCase();
