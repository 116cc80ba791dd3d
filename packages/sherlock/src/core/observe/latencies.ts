import { bucketOf, type Histogram, toHistogram } from "@datawire/protocol";
import { OWN_NAME, type Rename } from "../model/spares.ts";
import { fieldsOf, isLongLine, numberIn } from "./long-line.ts";

/** `BACKEND SERVER +MS`, as `defaults.hbs` has it written; the sign says that the line came with the head of the response. */
const LINE = /^(\S+) (\S+) \+?(\d+)$/;
/** Longer than any line that is written whole. */
const LINE_LENGTH_MAX = 8_192;

/** Adds up the latencies that HAProxy tells, a line each, until they are taken. */
export class Latencies {
  readonly #weight: number;
  readonly #own: Rename;
  #rest = "";
  #counts = new Map<string, Map<number, number>>();

  /**
   * @param oneIn how many requests each line stands for.
   * @param own which backend a spare one is.
   */
  constructor(oneIn: number, own: Rename = OWN_NAME) {
    this.#weight = oneIn;
    this.#own = own;
  }

  /** Takes a piece of the lines, which may end within one. Whatever is not the latency of an instance is ignored. */
  add(text: string): void {
    const lines = (this.#rest + text).split("\n");
    this.#rest = lines.pop() ?? "";
    if (this.#rest.length > LINE_LENGTH_MAX) this.#rest = "";
    for (const line of lines) {
      const read = isLongLine(line) ? parseLongLine(line, this.#own) : parseLine(line, this.#own);
      if (read === null) continue;
      const id = `${read.backend}/${read.server}`;
      const counts = this.#counts.get(id) ?? new Map<number, number>();
      this.#counts.set(id, counts);
      const bucket = bucketOf(read.ms);
      counts.set(bucket, (counts.get(bucket) ?? 0) + this.#weight);
    }
  }

  /** What came since the last call, by `backend/server`. */
  take(): Map<string, Histogram> {
    const taken = new Map([...this.#counts].map(([id, counts]) => [id, toHistogram(counts)]));
    this.#counts = new Map();
    return taken;
  }
}

interface Latency {
  readonly backend: string;
  readonly server: string;
  readonly ms: number;
}

function parseLine(line: string, own: Rename): Latency | null {
  const [, written = "", server = "", ms = ""] = LINE.exec(line) ?? [];
  const backend = own(written);
  return isInstance(backend, server) ? { backend, server, ms: Number(ms) } : null;
}

/**
 * Reads the longer lines that there are where the access log or spans want more of each request: HAProxy has one format
 * for all its log targets.
 */
function parseLongLine(line: string, own: Rename): Latency | null {
  const fields = fieldsOf(line);
  if (fields === null) return null;
  const { instance: server, responseMs, totalMs } = fields;
  const backend = own(fields.backend);
  if (!isInstance(backend, server)) return null;
  // A TCP connection has no response; -1 says that none came.
  if (responseMs === "-" || totalMs === "-") return null;
  const response = numberIn(responseMs);
  const ms = response < 0 ? numberIn(totalMs) : numberIn(fields.queueMs) + numberIn(fields.connectMs) + response;
  return ms < 0 ? null : { backend, server, ms };
}

/** The way through the fallback is told by its other end, and what no server was asked for has no latency of one. */
function isInstance(backend: string, server: string): boolean {
  return backend.includes(":") && !server.startsWith("FB.") && !server.startsWith("<");
}
