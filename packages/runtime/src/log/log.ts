import { pino } from "pino";
import { describeError } from "../errors/describe-error.ts";
import { isoTime } from "../time/iso-time.ts";
import { type LogStream, createJsonStream, createTextStream } from "./log-text.ts";

/** From the least important to the most. */
export const logLevels = ["debug", "info", "warn", "error"] as const;
/** How important an event is: one of `logLevels`. */
export type LogLevel = (typeof logLevels)[number];

/** `text` is for people, `json` for programs. */
export const logFormats = ["text", "json"] as const;
/** Whom a log is written for: one of `logFormats`. */
export type LogFormat = (typeof logFormats)[number];

/** Data of one event. An Error is printed as its chain of causes, without a stack. */
export type LogFields = Readonly<Record<string, unknown>>;

/** Where events go: a constant sentence-case message, its data in fields. */
export interface Logger {
  debug(message: string, fields?: LogFields): void;
  /** A change of state. */
  info(message: string, fields?: LogFields): void;
  /** Something is degraded, but the program copes. */
  warn(message: string, fields?: LogFields): void;
  /** Somebody has to act. */
  error(message: string, fields?: LogFields): void;
  /** A logger that adds `fields` to each of its events. */
  child(fields: LogFields): Logger;
}

/** How a log is written. */
export interface LogOptions {
  /** The program, the first thing in every line. */
  readonly name: string;
  readonly level: LogLevel;
  /** Default: text on a terminal, JSON lines otherwise. */
  readonly format?: LogFormat | undefined;
  /** Default: stderr, written synchronously so that the last words of a process are not lost. */
  readonly stream?: LogStream | undefined;
}

/** Makes the log of a process. */
export function createLog({ name, level, format, stream }: LogOptions): Logger {
  const onTerminal = stream ? stream.isTTY === true : process.stderr.isTTY;
  const target = stream ?? openStderr();
  const text = (format ?? (onTerminal ? "text" : "json")) === "text";
  const options = {
    name,
    level,
    base: { name },
    timestamp: () => `,"time":"${isoTime(Date.now())}"`,
    formatters: { level: (label: string) => ({ level: label }) },
  };
  return wrap(pino(options, text ? createTextStream(target, { colour: onTerminal }) : createJsonStream(target)));
}

/** A log that drops everything: for tests and for code that is given none. */
export const noLog: Logger = { debug() {}, info() {}, warn() {}, error() {}, child: () => noLog };

function openStderr(): LogStream {
  const stream = pino.destination({ fd: 2, sync: true });
  // The reader of our stderr is gone (EPIPE): there is nowhere to log to, but no reason to stop working.
  stream.on("error", () => {});
  return { write: (text) => stream.write(text) };
}

function wrap(logger: pino.Logger): Logger {
  return {
    debug: (message, fields) => logger.debug(plain(fields), message),
    info: (message, fields) => logger.info(plain(fields), message),
    warn: (message, fields) => logger.warn(plain(fields), message),
    error: (message, fields) => logger.error(plain(fields), message),
    child: (fields) => wrap(logger.child(plain(fields))),
  };
}

function plain(fields: LogFields = {}): Record<string, unknown> {
  const entries = Object.entries(fields).map(([key, value]) => [
    key,
    value instanceof Error ? describeError(value) : value,
  ]);
  return Object.fromEntries(entries);
}
