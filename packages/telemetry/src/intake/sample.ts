import { xxHash32 } from "js-xxhash";
import { isFailure } from "../model/levels.ts";
import { type EventRecord, type Records, type SpanRecord, traceKey } from "../model/records.ts";

/** So many traces with errors are remembered, so that what comes of them later is kept too. */
const FAILED_MAX = 50_000;

const encoder = new TextEncoder();

/** Keeps a share of the traces, chosen by their ids alone so that all directories choose the same, and all with errors. */
export class Sampler {
  #share: number;
  readonly #failed = new Set<string>();

  /** @param share from 0 to 1. */
  constructor(share: number) {
    this.#share = share;
  }

  set(share: number): void {
    this.#share = share;
  }

  /** What is kept of the records, and how many are not. Events of no trace are always kept. */
  sample(records: Records): Records & { readonly left: number } {
    if (this.#share >= 1) return { ...records, left: 0 };
    for (const span of records.spans) if (span.status === "error") this.#remember(span.traceId);
    for (const event of records.events)
      if (event.traceId !== null && isFailure(event.level)) this.#remember(event.traceId);
    const chosen = new Map<string, boolean>();
    const isKept = ({ traceId }: SpanRecord | EventRecord): boolean => {
      if (traceId === null) return true;
      let kept = chosen.get(traceId);
      if (kept === undefined) chosen.set(traceId, (kept = this.#isChosen(traceKey(traceId))));
      return kept;
    };
    const spans = records.spans.filter(isKept);
    const events = records.events.filter(isKept);
    const left = records.spans.length - spans.length + (records.events.length - events.length);
    return { spans, events, left };
  }

  #isChosen(key: string): boolean {
    return this.#failed.has(key) || xxHash32(encoder.encode(key), 0) / 2 ** 32 < this.#share;
  }

  #remember(traceId: string): void {
    const key = traceKey(traceId);
    this.#failed.delete(key);
    this.#failed.add(key);
    const [oldest] = this.#failed;
    if (this.#failed.size > FAILED_MAX && oldest !== undefined) this.#failed.delete(oldest);
  }
}
