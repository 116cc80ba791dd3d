import type { TraceSummary } from "@datawire/api";
import { rankOf } from "../model/levels.ts";
import { mergeSummaries, NAMES_MAX, shownSummary, type Summary } from "../model/summary.ts";
import { FAILED, wordsFor } from "../query/index-words.ts";
import { comparePositions, type Position, writePosition } from "../query/positions.ts";
import type { TracesQuestion } from "../query/questions.ts";
import { eventMatches, spanMatches, type Term } from "../query/terms.ts";
import type { HourFile, TraceRow } from "../store/hour-file.ts";
import type { HourFiles } from "../store/hour-files.ts";
import { Slices } from "./slices.ts";

/** What one directory found. */
export interface TracesFound {
  readonly traces: readonly TraceSummary[];
  readonly next: string | null;
}

/** A word that more records of a file have does not choose among them: all are walked over, the newest first. */
const HITS_MAX = 5_000;
/** A search that has looked at so many traces is answered with what it has; its cursor goes on. */
const LOOKED_AT_MAX = 20_000;
/** So many rows are read at once. */
const PAGE = 128;
/** A search that looks into other files more often than this reads first which keys they have. */
const LOOKED_ELSEWHERE_MAX = 1_000;
/** Of one trace, so many events are looked at. */
const EVENTS_MAX = 10_000;

/** Traces of one file, the newest first. */
interface Source {
  readonly file: HourFile;
  /** Those that can match, by their numbers in the file; null where any can. */
  readonly candidates: ReadonlySet<number> | null;
  rows: TraceRow[];
  /** Whether there may be more than `rows`. */
  more: boolean;
}

/** Finds traces, the newest first. */
export async function findTraces(files: HourFiles, tenant: string, question: TracesQuestion): Promise<TracesFound> {
  const slices = new Slices();
  const { terms, service } = question;
  const start = startOf(question);
  const words = [...terms, ...(service === null ? [] : [serviceTerm(service)])].map(wordsFor);
  const chosen = await candidates(files, [...words, ...(question.failed ? [[FAILED]] : [])], slices);
  const sources: Source[] = [];
  for (const file of files.files) {
    const among = chosen.get(file) ?? null;
    const source = files.reading(file, () => sourceOf(file, { tenant, among, start }), null);
    if (source !== null) sources.push(source);
    await slices.turn();
  }
  const found: TraceSummary[] = [];
  let last: Position | null = null;
  let lookedAt = 0;
  let elsewhere: "looked up" | "known" = "looked up";
  while (found.length < question.limit && lookedAt < LOOKED_AT_MAX) {
    const source = newest(files, sources, tenant);
    const row = source?.rows.shift();
    if (source === undefined || row === undefined) return { traces: inOrder(found), next: null };
    if (question.fromMs !== null && row.last < question.fromMs) return { traces: inOrder(found), next: null };
    last = positionOf(row);
    lookedAt += 1;
    if (elsewhere === "looked up" && lookedAt * (files.files.length - 1) > LOOKED_ELSEWHERE_MAX) {
      for (const file of files.files) {
        files.reading(file, () => file.mayHave(row.key), true);
        await slices.turn();
      }
      elsewhere = "known";
    }
    const parts = partsOf(files, { tenant, key: row.key, known: { file: source.file, row }, elsewhere });
    if (isNewestOf(parts, { sources, source, row })) {
      // A file that turned out to be damaged meanwhile tells nothing more.
      const summaries = parts.flatMap((part) => files.reading(part.file, () => [part.row.summary], []));
      const summary = summaries.length === 0 ? null : summaries.reduce(mergeSummaries);
      if (summary !== null && fits(summary, question) && allMatch(files, parts, openTerms(summary, question)))
        found.push(shownSummary(summary));
    }
    await slices.turn();
  }
  const isMore = sources.some(({ rows }) => rows.length > 0);
  return { traces: inOrder(found), next: last !== null && isMore ? writePosition(last) : null };
}

/** A trace in one of the files that have something of it. */
export interface TracePart {
  readonly file: HourFile;
  readonly row: TraceRow;
}

interface PartsOptions {
  readonly tenant: string;
  readonly key: string;
  readonly known?: TracePart;
  readonly elsewhere?: "looked up" | "known";
}

/**
 * A trace in all files that have something of it, the oldest first.
 * @param known a part that was read already, which is not read again.
 * @param elsewhere `known`: files are looked into only where they may have it, for who asks for many.
 */
export function partsOf(files: HourFiles, { tenant, key, known, elsewhere = "looked up" }: PartsOptions): TracePart[] {
  return files.files.toReversed().flatMap((file) => {
    if (file === known?.file) return [known];
    const look = (): TraceRow | null => (elsewhere === "known" && !file.mayHave(key) ? null : file.trace(tenant, key));
    const row = files.reading(file, look, null);
    return row === null ? [] : [{ file, row }];
  });
}

const inOrder = (found: readonly TraceSummary[]): TraceSummary[] => found.toSorted((a, b) => b.lastMs - a.lastMs);

const positionOf = ({ last, key }: TraceRow): Position => ({ atMs: last, key });

const serviceTerm = (service: string): Term => ({ kind: "pair", key: "service", value: service });

/** What the spans and events of a trace have to be asked for: its summary tells its services, as long as it has them all. */
function openTerms({ services }: Summary, { terms, service }: TracesQuestion): readonly Term[] {
  const isTold = service === null || hasName(services, service);
  return isTold ? terms : [...terms, serviceTerm(service)];
}

const hasName = (names: readonly string[], wanted: string): boolean =>
  names.some((name) => name.toLowerCase() === wanted.toLowerCase());

function startOf({ cursor, toMs }: TracesQuestion): Position {
  const end = { atMs: toMs ?? Number.MAX_VALUE, key: "" };
  return cursor !== null && comparePositions(cursor, end) > 0 ? cursor : end;
}

interface SourceOptions {
  readonly tenant: string;
  readonly among: ReadonlySet<number> | null;
  readonly start: Position;
}

function sourceOf(file: HourFile, { tenant, among, start }: SourceOptions): Source {
  if (among === null) {
    const rows = file.tracesAfter(tenant, { last: start.atMs, key: start.key }, PAGE);
    return { file, candidates: null, rows, more: rows.length === PAGE };
  }
  const rows = file
    .tracesOf(tenant, [...among])
    .filter((row) => comparePositions(positionOf(row), start) > 0)
    .toSorted((a, b) => comparePositions(positionOf(a), positionOf(b)));
  return { file, candidates: among, rows, more: false };
}

/**
 * The traces of each file that have something with the rarest of these words; null where the file has too many. The same
 * words in all files: what matches the others may have come in another hour.
 */
async function candidates(
  files: HourFiles,
  all: readonly (readonly string[])[],
  slices: Slices,
): Promise<ReadonlyMap<HourFile, ReadonlySet<number> | null>> {
  let best: { readonly found: ReadonlyMap<HourFile, ReadonlySet<number> | null>; readonly count: number } | null = null;
  for (const words of all) {
    if (words.length === 0) continue;
    const found = new Map<HourFile, ReadonlySet<number> | null>();
    let count = 0;
    for (const file of files.files) {
      const some = files.reading(file, () => file.tracesWith(words, HITS_MAX), new Set<number>());
      found.set(file, some);
      count += some?.size ?? HITS_MAX;
      await slices.turn();
    }
    if (best === null || count < best.count) best = { found, count };
    if (count === 0) break;
  }
  return best?.found ?? new Map();
}

/** The source whose next trace is the newest of all. */
function newest(files: HourFiles, sources: readonly Source[], tenant: string): Source | undefined {
  let best: Source | undefined;
  for (const source of sources) {
    const [row] = source.rows;
    if (row === undefined) continue;
    const [first] = best?.rows ?? [];
    if (first === undefined || comparePositions(positionOf(row), positionOf(first)) < 0) best = source;
  }
  // One row is left there until the ones after it are read.
  if (best !== undefined && best.more && best.rows.length === 1) {
    const { file, rows } = best;
    const [row] = rows;
    const after = files.reading(file, () => (row === undefined ? [] : file.tracesAfter(tenant, row, PAGE)), []);
    best.more = after.length === PAGE;
    rows.push(...after);
  }
  return best;
}

/** Whether no other file will show the trace, or has shown it, as a newer one: it is told once, where it is the newest. */
function isNewestOf(
  parts: readonly TracePart[],
  { sources, source, row }: { readonly sources: readonly Source[]; readonly source: Source; readonly row: TraceRow },
): boolean {
  return parts.every((part) => {
    if (part.file === source.file) return true;
    const other = sources.find(({ file }) => file === part.file);
    if (other === undefined || other.candidates?.has(part.row.id) === false) return true;
    return part.row.last < row.last || (part.row.last === row.last && part.file.number < source.file.number);
  });
}

function fits(summary: Summary, { failed, minMs, level, service }: TracesQuestion): boolean {
  const { services } = summary;
  if (service !== null && services.length < NAMES_MAX && !hasName(services, service)) return false;
  if (failed && summary.errors === 0) return false;
  if (summary.durationMs < minMs) return false;
  return level === null || (summary.level !== null && rankOf(summary.level) <= rankOf(level));
}

/** Whether each term matches a span or an event of the trace. */
function allMatch(files: HourFiles, parts: readonly TracePart[], terms: readonly Term[]): boolean {
  const open = new Set(terms);
  for (const { file, row } of parts) {
    if (open.size === 0) return true;
    files.reading(
      file,
      () => {
        for (const spans of file.spansOf(row.id)) settle(open, (term) => spans.some((span) => spanMatches(span, term)));
        if (open.size === 0) return;
        const events = file.eventsOf(row.id, EVENTS_MAX);
        settle(open, (term) => events.some(({ event }) => eventMatches(event, term)));
      },
      undefined,
    );
  }
  return open.size === 0;
}

function settle(open: Set<Term>, matches: (term: Term) => boolean): void {
  for (const term of open) if (matches(term)) open.delete(term);
}
