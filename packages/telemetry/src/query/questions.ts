import { type LogLevelWord, parseDuration, ProtocolError, quoteShort } from "@datawire/protocol";
import { parseLevel } from "../model/levels.ts";
import { traceKey } from "../model/records.ts";
import { type Position, readPosition } from "./positions.ts";
import { parseTerms, type Term } from "./terms.ts";

/** What traces and events alike are chosen by; null chooses all. */
interface Chosen {
  readonly terms: readonly Term[];
  readonly service: string | null;
  readonly level: LogLevelWord | null;
  /** Milliseconds since 1970. */
  readonly fromMs: number | null;
  /** Exclusive. */
  readonly toMs: number | null;
  readonly limit: number;
  /** What comes after this one, which the page before ended with. */
  readonly cursor: Position | null;
}

/** Which traces are asked for. */
export interface TracesQuestion extends Chosen {
  readonly of: "traces";
  readonly failed: boolean;
  readonly minMs: number;
}

/** Which events are asked for. */
export interface LogsQuestion extends Chosen {
  readonly of: "logs";
  readonly instance: string | null;
  /** By `traceKey`. */
  readonly trace: string | null;
  /** What came after this answer, as its `tail` has it. */
  readonly after: string | null;
}

/** One trace, by `traceKey`. */
export interface TraceQuestion {
  readonly of: "trace";
  readonly trace: string;
  /** Revisions of answers that whoever asks has already: one that is still right is not given again. */
  readonly known?: readonly string[];
}

/** Whatever can be asked of the store. */
export type Question = TracesQuestion | LogsQuestion | TraceQuestion;

type Query = Readonly<Partial<Record<string, string>>>;

const LIMIT_DEFAULT = 100;
const LIMIT_MAX = 1_000;
const QUERY_LENGTH_MAX = 2_000;

/** Reads the query of `GET /v1/traces`. @throws ProtocolError `invalid_argument` */
export function tracesQuestion(query: Query, nowMs: number): TracesQuestion {
  return {
    of: "traces",
    ...chosen(query, nowMs),
    failed: readFlag("error", query["error"]),
    minMs: query["min"] === undefined ? 0 : parseDuration(query["min"]),
  };
}

/** Reads the query of `GET /v1/logs`. @throws ProtocolError `invalid_argument` */
export function logsQuestion(query: Query, nowMs: number): LogsQuestion {
  return {
    of: "logs",
    ...chosen(query, nowMs),
    instance: instanceOf(query["instance"]),
    trace: query["trace"] === undefined ? null : traceKey(query["trace"]),
    after: query["after"] ?? null,
  };
}

function chosen(query: Query, nowMs: number): Chosen {
  const { q = "", service, level, since, from, to, limit, cursor } = query;
  if (q.length > QUERY_LENGTH_MAX)
    throw new ProtocolError(
      "invalid_argument",
      `Cannot use q: it has ${q.length} characters, wanted ${QUERY_LENGTH_MAX} at most`,
    );
  const starts = [
    since === undefined ? [] : readSince(since, nowMs),
    from === undefined ? [] : readMoment("from", from),
  ];
  return {
    terms: parseTerms(q),
    service: service === undefined || service === "" ? null : service.replace(/^\/\//, ""),
    level: level === undefined || level === "" ? null : parseLevel(level),
    fromMs: starts.flat().length === 0 ? null : Math.max(...starts.flat()),
    toMs: to === undefined ? null : readMoment("to", to),
    limit: readLimit(limit),
    cursor: cursor === undefined || cursor === "" ? null : readPosition(cursor),
  };
}

/** `//S@I` is the instance I. */
function instanceOf(text: string | undefined): string | null {
  if (text === undefined || text === "") return null;
  return text.startsWith("//") ? text.slice(text.indexOf("@") + 1) : text;
}

function readLimit(text: string | undefined): number {
  if (text === undefined) return LIMIT_DEFAULT;
  const limit = Number(text);
  if (Number.isInteger(limit) && limit >= 1 && limit <= LIMIT_MAX) return limit;
  throw refuse("limit", text, `a number from 1 to ${LIMIT_MAX}`);
}

/** Whether a query says `true`. @throws ProtocolError `invalid_argument` for anything but true and false. */
export function readFlag(name: string, text: string | undefined): boolean {
  if (text === undefined || text === "" || text === "false") return false;
  if (text === "true") return true;
  throw refuse(name, text, "true or false");
}

/** Numbers from here on are moments and no durations: a year has 3.2e7 seconds, and 1973 is 1e11 ms after 1970. */
const MOMENT_MIN = 1e11;

function readSince(text: string, nowMs: number): number {
  if (/^\d+(?:\.\d+)?$/.test(text) && Number(text) >= MOMENT_MIN) return Number(text);
  return /^\d{4}-/.test(text) ? readMoment("since", text) : nowMs - parseDuration(text);
}

function readMoment(name: string, text: string): number {
  const ms = /^\d+(?:\.\d+)?$/.test(text) ? Number(text) : Date.parse(text);
  if (Number.isFinite(ms)) return ms;
  throw refuse(name, text, "a moment such as 2026-11-30T12:00:00Z, or milliseconds since 1970");
}

function refuse(name: string, text: string, wanted: string): ProtocolError {
  return new ProtocolError("invalid_argument", `Cannot use ${quoteShort(text)} as ${name}: wanted ${wanted}`);
}
