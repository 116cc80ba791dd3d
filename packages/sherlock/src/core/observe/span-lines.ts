import { fieldsOf, isLongLine, type LineFields, numberIn } from "./long-line.ts";
import { OWN_NAME, type Rename } from "../model/spares.ts";
import type { SpanChoice } from "../render/spans-view.ts";

/** A request as HAProxy has told of it. */
export interface ProxiedRequest {
  /** When its first byte came, in milliseconds since 1970. */
  readonly startMs: number;
  /** The address of the client. */
  readonly client: string;
  /** What the client asked for; null where it named nothing. */
  readonly service: string | null;
  readonly backend: string;
  readonly server: string;
  readonly method: string;
  readonly path: string | null;
  /** -1 for none. */
  readonly status: number;
  /** Of the response, its head included. */
  readonly bytes: number;
  /** Each -1 where it came to none. */
  readonly queueMs: number;
  readonly connectMs: number;
  readonly responseMs: number;
  /** From its first byte to the last one of the response. */
  readonly totalMs: number;
  readonly retries: number;
  /** How it ended: the first two letters of HAProxy's termination state, `--` for a normal end. */
  readonly end: string;
  /** Null for a request that came without a trace, and was not sampled. */
  readonly traceId: string | null;
  /** Null for one of which no span was chosen when it came. */
  readonly spanId: string | null;
  readonly parentId: string | null;
}

/** Longer than any line that is written whole. */
const LINE_LENGTH_MAX = 8_192;
/** Workers and their frontends of which it is known how many lines they have written: those of old ones go. */
const WRITERS_MAX = 64;
const ID = /^[0-9a-f]+$/;
/** What HAProxy has found to be right. */
const TRACEPARENT = /^..-(.{32})-(.{16})-/;

/** Reads the lines that HAProxy writes for spans, and counts those that did not come. */
export class SpanLines {
  readonly #of: SpanChoice;
  readonly #own: Rename;
  #rest = "";
  #lost = 0;
  /** By frontend and process: the number of its last line. */
  readonly #last = new Map<string, number>();

  /** @param own which backend a spare one is. */
  constructor(of: SpanChoice, own: Rename = OWN_NAME) {
    this.#of = of;
    this.#own = own;
  }

  /** Takes what came, which is Latin-1 and may end within a line. @returns the requests that are to be spans. */
  add(text: string): ProxiedRequest[] {
    const lines = (this.#rest + text).split("\n");
    this.#rest = lines.pop() ?? "";
    if (this.#rest.length > LINE_LENGTH_MAX) this.#rest = "";
    return lines.flatMap((line) => {
      // What HAProxy says of itself comes here too.
      if (!isLongLine(line)) return [];
      const read = fieldsOf(line);
      const fields = read === null ? null : { ...read, backend: this.#own(read.backend) };
      if (fields === null) {
        this.#lost += 1;
        return [];
      }
      this.#count(fields.line);
      // The way through the fallback that led nowhere has its span already, by its other end.
      if (fields.line.startsWith("fallback.") && !fields.backend.includes(":")) return [];
      const request = requestOf(fields);
      return request !== null && this.#isWanted(request) ? [request] : [];
    });
  }

  /** How many lines were lost since the last call: they found no room, or were cut short. */
  takeLost(): number {
    const lost = this.#lost;
    this.#lost = 0;
    return lost;
  }

  #isWanted(request: ProxiedRequest): boolean {
    return isFailed(request) || (this.#of !== "errors" && request.spanId !== null);
  }

  /**
   * Counts by the number that HAProxy gives each line of a frontend (configuration manual, `%lc`), also to those that
   * find no room.
   */
  #count(line: string): void {
    const at = line.lastIndexOf(".");
    const writer = line.slice(0, at);
    const number = Number(line.slice(at + 1));
    const last = this.#last.get(writer);
    if (last !== undefined && number > last + 1) this.#lost += number - last - 1;
    this.#last.delete(writer);
    this.#last.set(writer, number);
    const [oldest] = this.#last.keys();
    if (this.#last.size > WRITERS_MAX && oldest !== undefined) this.#last.delete(oldest);
  }
}

/**
 * Whether the instance, or the connection to it, failed the request; one that the client broke off is not a failure.
 */
export function isFailed({ status, end }: Pick<ProxiedRequest, "status" | "end">): boolean {
  return status >= 500 || end.startsWith("S") || end.startsWith("s");
}

/** Null for a line without a time. */
function requestOf(fields: LineFields): ProxiedRequest | null {
  const { time, idleMs, spanId, service, path } = fields;
  const acceptedMs = Math.round(Number(time) * 1_000);
  if (!Number.isFinite(acceptedMs)) return null;
  const [, sentTrace = "", sentParent = ""] = TRACEPARENT.exec(fields.traceparent) ?? [];
  const [traceId, parentId] = ID.test(fields.traceId) ? [fields.traceId, fields.parentId] : [sentTrace, sentParent];
  return {
    startMs: acceptedMs + Math.max(0, numberIn(idleMs)),
    client: fields.client,
    service: service === "-" || service === "" ? null : service,
    backend: fields.backend,
    server: fields.instance,
    method: fields.method,
    path: path === "-" ? null : path,
    status: numberIn(fields.status),
    bytes: numberIn(fields.bytes),
    queueMs: numberIn(fields.queueMs),
    connectMs: numberIn(fields.connectMs),
    responseMs: numberIn(fields.responseMs),
    totalMs: Math.max(0, numberIn(fields.totalMs)),
    retries: numberIn(fields.retries),
    end: fields.end,
    traceId: ID.test(traceId) ? traceId : null,
    spanId: ID.test(spanId) ? spanId : null,
    parentId: ID.test(parentId) ? parentId : null,
  };
}
