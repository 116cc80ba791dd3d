import type { TraceSummary } from "@datawire/api";
import { rankOf } from "../model/levels.ts";
import { mergeSummaries, NAMES_MAX, shownSummary, type Summary } from "../model/summary.ts";
import { FAILED, wordsFor } from "../query/index-words.ts";
import { comparePositions, type Position, writePosition } from "../query/positions.ts";
import type { TracesQuestion } from "../query/questions.ts";
import { eventMatches, spanMatches, type Term } from "../query/terms.ts";
import type { HourFile, TraceRow } from "../store/hour-file.ts";
import { hashesOf } from "../store/key-filter.ts";
import type { HourFiles } from "../store/hour-files.ts";
import { Slices } from "./slices.ts";
import { newestSource, TraceSource } from "./trace-source.ts";

/** What one directory found. */
export interface TracesFound {
  readonly traces: readonly TraceSummary[];
  readonly next: string | null;
}

/** A word that more records of a file have does not choose among them: all are walked over, the newest first. */
const HITS_MAX = 5_000;
/** A search that has looked at so many traces is answered with what it has; its cursor goes on. */
const LOOKED_AT_MAX = 20_000;
/** A search that looks into other files more often than this reads first which keys they have. */
const LOOKED_ELSEWHERE_MAX = 5_000;
/** Of one trace, so many events are looked at. */
const EVENTS_MAX = 10_000;

/** Finds traces, the newest first. */
export async function findTraces(files: HourFiles, tenant: string, question: TracesQuestion): Promise<TracesFound> {
  const slices = new Slices();
  const { terms, service } = question;
  const start = startOf(question);
  const words = [...terms, ...(service === null ? [] : [serviceTerm(service)])].map(wordsFor);
  const sources = await sourcesOf(files, {
    tenant,
    start,
    all: [...words, ...(question.failed ? [[FAILED]] : [])].filter((some) => some.length > 0),
    slices,
  });
  const found: TraceSummary[] = [];
  let last: Position | null = null;
  let lookedAt = 0;
  let elsewhere: "looked up" | "known" = "looked up";
  while (found.length < question.limit && lookedAt < LOOKED_AT_MAX) {
    const source = newestSource(sources, { told: last ?? start, fromMs: question.fromMs });
    const row = source?.head;
    if (source === undefined || row === undefined) return { traces: inOrder(found), next: null };
    source.shift();
    last = positionOf(row);
    lookedAt += 1;
    if (elsewhere === "looked up" && lookedAt * (files.files.length - 1) > LOOKED_ELSEWHERE_MAX) {
      for (const file of files.files) {
        files.reading(file, () => file.mayHave(hashesOf(row.key)), true);
        await slices.turn();
      }
      elsewhere = "known";
    }
    const parts = partsOf(files, { tenant, key: row.key, known: { file: source.file, row }, elsewhere });
    if (isNewestOf(parts, { sources, source, row, told: last })) {
      // A file that turned out to be damaged meanwhile tells nothing more.
      const summaries = parts.flatMap((part) => files.reading(part.file, () => [part.row.summary], []));
      const summary = summaries.length === 0 ? null : summaries.reduce(mergeSummaries);
      if (summary !== null && fits(summary, question) && allMatch(files, parts, openTerms(summary, question)))
        found.push(shownSummary(summary));
    }
    await slices.turn();
  }
  const isMore = newestSource(sources, { told: last ?? start, fromMs: question.fromMs }) !== undefined;
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
  const parts: TracePart[] = known === undefined ? [] : [known];
  const hashes = elsewhere === "known" ? hashesOf(key) : null;
  for (const file of files.files) {
    if (file === known?.file) continue;
    const look = (): TraceRow | null => (hashes !== null && !file.mayHave(hashes) ? null : file.trace(tenant, key));
    const row = files.reading(file, look, null);
    if (row !== null) parts.push({ file, row });
  }
  return parts.length < 2 ? parts : parts.toSorted((a, b) => a.file.number - b.file.number);
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
  readonly start: Position;
  /** What is looked for in the index: the words of each term. */
  readonly all: readonly (readonly string[])[];
  readonly slices: Slices;
}

/**
 * The files that have something with the rarest of these words, of all files with the same ones: what matches the others
 * may have come in another hour.
 */
async function sourcesOf(files: HourFiles, { tenant, start, all, slices }: SourceOptions): Promise<TraceSource[]> {
  let best: { readonly words: readonly string[]; readonly among: readonly HourFile[]; readonly count: number } | null =
    null;
  for (const words of all) {
    const among: HourFile[] = [];
    let count = 0;
    for (const file of files.files) {
      const some = files.reading(file, () => file.countWith(words, HITS_MAX), 0);
      if (some > 0) among.push(file);
      count += some;
      await slices.turn();
      if (best !== null && count >= best.count) break;
    }
    if (best === null || count < best.count) best = { words, among, count };
    if (count === 0) return [];
  }
  const deps = { files, tenant, words: best?.words ?? null, hitsMax: HITS_MAX };
  return (best?.among ?? files.files).map((file) => new TraceSource(file, start, deps));
}

interface Told {
  readonly sources: readonly TraceSource[];
  readonly source: TraceSource;
  readonly row: TraceRow;
  readonly told: Position;
}

/** Whether no other file will show the trace, or has shown it, as a newer one: it is told once, where it is the newest. */
function isNewestOf(parts: readonly TracePart[], { sources, source, row, told }: Told): boolean {
  return parts.every((part) => {
    if (part.file === source.file) return true;
    const other = sources.find(({ file }) => file === part.file);
    if (other === undefined) return true;
    if (!other.isOpen) other.open(told);
    if (!other.tells(part.row)) return true;
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
