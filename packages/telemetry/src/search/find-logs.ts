import type { LogEvent } from "@datawire/api";
import { LOG_LEVELS } from "@datawire/protocol";
import { rankOf } from "../model/levels.ts";
import { type EventRecord, traceKey } from "../model/records.ts";
import { shownEvent } from "../model/shown.ts";
import { wordsFor } from "../query/index-words.ts";
import {
  comparePositions,
  eventId,
  type Position,
  readTails,
  type Tails,
  writePosition,
  writeTails,
} from "../query/positions.ts";
import type { LogsQuestion } from "../query/questions.ts";
import { eventMatches } from "../query/terms.ts";
import type { EventRow, HourFile } from "../store/hour-file.ts";
import type { HourFiles } from "../store/hour-files.ts";
import { Slices } from "./slices.ts";

/** What one directory found. */
export interface LogsFound {
  readonly events: readonly LogEvent[];
  readonly next: string | null;
  readonly tail: string;
}

/** A word that more events of a file have does not choose among them: all are walked over. */
const HITS_MAX = 5_000;
/** A search that has looked at so many events is answered with what it has; its cursor goes on. */
const LOOKED_AT_MAX = 50_000;
const PAGE = 256;
const TEXT_MAX = 16 * 1024 * 1024;
/** Of one trace, so many events are found. */
const TRACE_EVENTS_MAX = 10_000;

/** Finds events: the newest first, or in the order in which they came after a tail. */
export function findLogs(
  files: HourFiles,
  { tenant, self }: { readonly tenant: string; readonly self: string },
  question: LogsQuestion,
): Promise<LogsFound> {
  const finder = new Finder(files, { tenant, self, question });
  return question.after === null ? finder.before() : finder.after(readTails(question.after));
}

interface Place {
  readonly tenant: string;
  readonly self: string;
  readonly question: LogsQuestion;
}

/** Events of one level in one file, the newest first. */
interface Source {
  readonly file: HourFile;
  readonly level: number;
  rows: EventRow[];
  more: boolean;
}

/** A file that nothing was read of yet, and when its newest event was, or before. */
interface Unread {
  readonly file: HourFile;
  readonly latestMs: number;
}

class Finder {
  readonly #files: HourFiles;
  readonly #place: Place;
  readonly #slices = new Slices();
  readonly #found: LogEvent[] = [];
  #left = TEXT_MAX;

  constructor(files: HourFiles, place: Place) {
    this.#files = files;
    this.#place = place;
  }

  async before(): Promise<LogsFound> {
    const { question } = this.#place;
    const tail = writeTails(this.#tails());
    const end: Position = { atMs: question.toMs ?? Number.MAX_VALUE, key: "" };
    const start = question.cursor !== null && comparePositions(question.cursor, end) > 0 ? question.cursor : end;
    const sources: Source[] = [];
    const unread = this.#unread(start);
    // What stands there or before is told, also where it came since.
    let told = start;
    const newest = async (): Promise<Source | undefined> => {
      for (;;) {
        const best = this.#newest(sources);
        const [next] = unread;
        if (next === undefined || next.latestMs < (best?.rows[0]?.at ?? -Infinity)) return best;
        unread.shift();
        sources.push(...this.#files.reading(next.file, () => this.#sourcesOf(next.file, told), []));
        await this.#slices.turn();
      }
    };
    for (let lookedAt = 0; lookedAt < LOOKED_AT_MAX && !this.#isFull; lookedAt += 1) {
      const next = await newest();
      const row = next?.rows.shift();
      if (next === undefined || row === undefined || (question.fromMs !== null && row.at < question.fromMs))
        return { events: this.#found, next: null, tail };
      const position = this.#positionOf(next.file, row);
      if (comparePositions(position, told) <= 0) continue;
      told = position;
      this.#take(position, row.event);
      await this.#slices.turn();
    }
    const isMore = (await newest()) !== undefined;
    return { events: this.#found, next: isMore ? writePosition(told) : null, tail };
  }

  async after(tails: Tails): Promise<LogsFound> {
    const { tenant, self } = this.#place;
    // One that is new to who follows tells what it has from now on.
    const [from, id] = tails.get(self) ?? this.#tails().get(self) ?? [0, 0];
    let tail: readonly [number, number] = [from, id];
    let lookedAt = 0;
    for (const file of this.#files.files.toReversed().filter(({ number }) => number >= from)) {
      for (;;) {
        const after = file.number === tail[0] ? tail[1] : 0;
        const rows = this.#files.reading(file, () => file.eventsSince(tenant, after, PAGE), []);
        for (const row of rows) {
          if (this.#isFull || lookedAt >= LOOKED_AT_MAX) return this.#followed(tails, tail);
          tail = [file.number, row.id];
          lookedAt += 1;
          this.#take(this.#positionOf(file, row), row.event);
        }
        await this.#slices.turn();
        if (rows.length < PAGE) break;
      }
    }
    return this.#followed(tails, tail);
  }

  #followed(tails: Tails, tail: readonly [number, number]): LogsFound {
    return { events: this.#found, next: null, tail: writeTails(new Map([...tails, [this.#place.self, tail]])) };
  }

  get #isFull(): boolean {
    return this.#found.length >= this.#place.question.limit || this.#left < 0;
  }

  #tails(): Tails {
    const [newest] = this.#files.files;
    const last = newest === undefined ? 0 : this.#files.reading(newest, ({ lastEvent }) => lastEvent, 0);
    return new Map([[this.#place.self, [newest?.number ?? 0, last]]]);
  }

  #take({ key }: Position, record: EventRecord): void {
    const { service, level, instance, trace, terms, fromMs, toMs } = this.#place.question;
    if (service !== null && record.resource.service !== service) return;
    if (level !== null && rankOf(record.level) > rankOf(level)) return;
    if (instance !== null && record.resource.instance !== instance) return;
    if (trace !== null && (record.traceId === null || traceKey(record.traceId) !== trace)) return;
    if (record.timestamp < (fromMs ?? 0) || record.timestamp >= (toMs ?? Number.MAX_VALUE)) return;
    if (!terms.every((term) => eventMatches(record, term))) return;
    this.#left -= record.text.length + 500;
    this.#found.push(shownEvent(record, key));
  }

  /**
   * The files with events that may match, those with the newest first. Choosing among them waits until the time of each is
   * reached: most questions are answered from the newest.
   */
  #unread(start: Position): Unread[] {
    const { tenant, question } = this.#place;
    const latestIn = (file: HourFile): number =>
      Math.max(
        ...this.#levels.map(
          (level) => file.eventsAfter(tenant, { level, at: start.atMs, id: -1 }, 1)[0]?.at ?? -Infinity,
        ),
      );
    return this.#files.files
      .map((file) => ({ file, latestMs: this.#files.reading(file, () => latestIn(file), -Infinity) }))
      .filter(({ latestMs }) => latestMs !== -Infinity && latestMs >= (question.fromMs ?? -Infinity))
      .toSorted((a, b) => b.latestMs - a.latestMs);
  }

  /** The levels that are asked for. */
  get #levels(): readonly number[] {
    const { level } = this.#place.question;
    return Array.from({ length: level === null ? LOG_LEVELS.length : rankOf(level) + 1 }, (_, i) => i);
  }

  #sourcesOf(file: HourFile, start: Position): Source[] {
    const { tenant } = this.#place;
    const rows = this.#chosenIn(file);
    const levels = this.#levels;
    if (rows !== null) {
      const isAskedFor = ({ at, event }: EventRow): boolean => at <= start.atMs && levels.includes(rankOf(event.level));
      return [{ file, level: 0, rows: rows.filter(isAskedFor), more: false }];
    }
    return levels.map((level) => {
      const found = file.eventsAfter(tenant, { level, at: start.atMs, id: -1 }, PAGE);
      return { file, level, rows: found, more: found.length === PAGE };
    });
  }

  /** The events of a file that a trace or the words of the query leave; null where they leave too many. */
  #chosenIn(file: HourFile): EventRow[] | null {
    const { tenant, question } = this.#place;
    if (question.trace !== null) {
      const trace = file.trace(tenant, question.trace);
      if (trace === null) return [];
      return file.eventsOf(trace.id, TRACE_EVENTS_MAX).toSorted((a, b) => b.at - a.at || a.id - b.id);
    }
    const service =
      question.service === null ? [] : wordsFor({ kind: "pair", key: "service", value: question.service });
    const words = [...new Set([...question.terms.flatMap(wordsFor), ...service])];
    const ids = words.length === 0 ? null : file.eventsWith(words, HITS_MAX);
    return ids === null ? null : file.eventsById(tenant, ids);
  }

  #newest(sources: readonly Source[]): Source | undefined {
    let best: Source | undefined;
    for (const source of sources) {
      const [row] = source.rows;
      if (row === undefined) continue;
      const [first] = best?.rows ?? [];
      if (best === undefined || first === undefined || this.#order(source.file, row, [best.file, first]) < 0)
        best = source;
    }
    if (best !== undefined && best.more && best.rows.length === 1) {
      const { file, level, rows } = best;
      const [row] = rows;
      const after = this.#files.reading(
        file,
        () => (row === undefined ? [] : file.eventsAfter(this.#place.tenant, { level, at: row.at, id: row.id }, PAGE)),
        [],
      );
      best.more = after.length === PAGE;
      rows.push(...after);
    }
    return best;
  }

  #order(file: HourFile, row: EventRow, [otherFile, other]: readonly [HourFile, EventRow]): number {
    if (row.at !== other.at) return other.at - row.at;
    return comparePositions(this.#positionOf(file, row), this.#positionOf(otherFile, other));
  }

  #positionOf(file: HourFile, { at, id }: EventRow): Position {
    return { atMs: at, key: eventId(this.#place.self, file.number, id) };
  }
}
