import type { Position } from "../query/positions.ts";
import type { HourFile, TraceRow } from "../store/hour-file.ts";
import type { HourFiles } from "../store/hour-files.ts";

/** So many rows are read at once. */
const PAGE = 128;

interface TraceSourceDeps {
  readonly files: HourFiles;
  readonly tenant: string;
  /** What its traces have to have; null where any may do. At most `hitsMax` of a file have them, else any may do. */
  readonly words: readonly string[] | null;
  readonly hitsMax: number;
}

/**
 * The traces of one file that may match, the newest first. It is known at once when its newest ended at the latest; what
 * choosing among them costs is spent when that moment is reached: most questions are answered from the newest files.
 */
export class TraceSource {
  readonly file: HourFile;
  readonly #deps: TraceSourceDeps;
  #rows: readonly TraceRow[] = [];
  #at = 0;
  #more = true;
  /** By their numbers in the file; null where any can match. */
  #candidates: ReadonlySet<number> | null = null;
  #isOpen = false;
  #latestMs: number;

  /** @param start what stands there or before is not told. */
  constructor(file: HourFile, start: Position, deps: TraceSourceDeps) {
    this.file = file;
    this.#deps = deps;
    this.#latestMs = deps.files.reading(file, () => file.lastBefore(deps.tenant, start.atMs), null) ?? -Infinity;
  }

  get isOpen(): boolean {
    return this.#isOpen;
  }

  /** When its next trace ended, or at the latest while it is not open; -Infinity where there is none. */
  get latestMs(): number {
    return this.#latestMs;
  }

  /** The next trace of the file; undefined at its end, and before `open`. */
  get head(): TraceRow | undefined {
    return this.#rows[this.#at];
  }

  /** Chooses among its traces. @param start what stands there or before is not told. */
  open(start: Position): void {
    const { files, tenant, words, hitsMax } = this.#deps;
    const { file } = this;
    this.#isOpen = true;
    this.#candidates = files.reading(file, () => (words === null ? null : file.tracesWith(words, hitsMax)), new Set());
    const among = this.#candidates;
    if (among === null) this.#read(start);
    else {
      const isAfter = ({ last, key }: TraceRow): boolean =>
        last < start.atMs || (last === start.atMs && key > start.key);
      const rows = files.reading(file, () => file.tracesOf(tenant, [...among]), []);
      this.#rows = rows.filter(isAfter).toSorted((a, b) => (isBefore(a, b) ? -1 : 1));
      this.#more = false;
      this.#latestMs = this.head?.last ?? -Infinity;
    }
  }

  /** Goes on to the trace after its next one. */
  shift(): void {
    const row = this.head;
    this.#at += 1;
    if (this.#at >= this.#rows.length && this.#more && row !== undefined) this.#read({ atMs: row.last, key: row.key });
    this.#latestMs = this.head?.last ?? -Infinity;
  }

  /** Whether it tells of a trace of its file, at some time. */
  tells(trace: TraceRow): boolean {
    return this.#candidates === null || this.#candidates.has(trace.id);
  }

  #read({ atMs, key }: Position): void {
    const { files, tenant } = this.#deps;
    this.#rows = files.reading(this.file, () => this.file.tracesAfter(tenant, { last: atMs, key }, PAGE), []);
    this.#at = 0;
    this.#more = this.#rows.length === PAGE;
    this.#latestMs = this.head?.last ?? -Infinity;
  }
}

interface Bounds {
  /** Where the last one stood that was told. */
  readonly told: Position;
  /** What ended before is not asked for; null where anything is. */
  readonly fromMs: number | null;
}

/** The source whose next trace is the newest of all; undefined where there is none. */
export function newestSource(sources: readonly TraceSource[], { told, fromMs }: Bounds): TraceSource | undefined {
  for (;;) {
    let best: TraceSource | undefined;
    for (const source of sources) {
      if (source.latestMs === -Infinity) continue;
      if (best === undefined || source.latestMs > best.latestMs) best = source;
      else if (source.latestMs === best.latestMs && isFirst(source, best)) best = source;
    }
    if (best === undefined || best.latestMs < (fromMs ?? -Infinity)) return undefined;
    if (best.isOpen) return best;
    best.open(told);
  }
}

/** Of two with one moment: one that is not open may have what comes first. */
function isFirst(a: TraceSource, b: TraceSource): boolean {
  if (a.head === undefined || b.head === undefined) return b.head !== undefined;
  return a.head.key < b.head.key;
}

const isBefore = (a: TraceRow, b: TraceRow): boolean => a.last > b.last || (a.last === b.last && a.key < b.key);
