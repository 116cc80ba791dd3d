import type { Counter, Histogram } from "@datawire/protocol";
import type { PlannedServer } from "../model/plan.ts";
import { OWN_NAME, type Rename } from "../model/spares.ts";

/** What HAProxy has counted for one server since its worker started. */
export interface ServerCounts {
  readonly backend: string;
  readonly server: string;
  /** 1xx to 5xx. */
  readonly responses: readonly [number, number, number, number, number];
  readonly requests: number;
  /** Connections that failed, and answers that did not come or were refused. */
  readonly unreached: number;
  readonly refused: number;
  /** What HAProxy's own check says of a server that it has taken out; null for one in use. */
  readonly down: {
    readonly seconds: number;
    /** `L4CON`, `L6RSP`: the layer and what happened there (management guide, "check_status"). */
    readonly check: string;
    /** In HAProxy's words; may be empty. */
    readonly detail: string;
  } | null;
  /** Of the last 1,024 requests. */
  readonly averageMs: number;
  readonly maxMs: number;
}

/** How the second field begins of the server by which a backend leaves its requests to the next one. */
const FALLBACK = ",FB.";

/** Reads `show stat` (CSV with a header); only the servers of services. @param own which backend a spare one is. */
export function parseStat(answer: string, own: Rename = OWN_NAME): ServerCounts[] {
  const [header = "", ...lines] = answer.split("\n");
  const columns = new Map(
    header
      .replace(/^# /, "")
      .split(",")
      .map((name, i) => [name, i]),
  );
  const counts: ServerCounts[] = [];
  for (const line of lines) {
    // Of spare backends that nothing stands in, this is all there is.
    if (line.startsWith(FALLBACK, line.indexOf(","))) continue;
    const fields = splitCsv(line);
    const text = (name: string): string => fields[columns.get(name) ?? -1] ?? "";
    const number = (name: string): number => Number(text(name)) || 0;
    const backend = own(text("pxname"));
    const server = text("svname");
    if (text("type") !== "2" || !backend.includes(":")) continue;
    counts.push({
      backend,
      server,
      responses: [number("hrsp_1xx"), number("hrsp_2xx"), number("hrsp_3xx"), number("hrsp_4xx"), number("hrsp_5xx")],
      requests: number("stot"),
      unreached: number("econ"),
      refused: number("eresp"),
      down: text("status").startsWith("DOWN")
        ? { seconds: number("lastchg"), check: text("check_status").replace("* ", ""), detail: text("last_chk") }
        : null,
      averageMs: number("ttime"),
      maxMs: number("ttime_max"),
    });
  }
  return counts;
}

const failuresOf = ({ unreached, refused }: ServerCounts): number => unreached + refused;

/** Values with a comma or a quote in them stand in quotes (RFC 4180). */
function splitCsv(line: string): string[] {
  if (!line.includes('"')) return line.split(",");
  return [...line.matchAll(/(?:^|,)(?:"((?:[^"]|"")*)"|([^,]*))/g)].map(([, quoted, plain = ""]) =>
    quoted === undefined ? plain : quoted.replaceAll('""', '"'),
  );
}

/** Which instance a server stands for. */
export type Attribution = (backend: string, server: string) => Pick<PlannedServer, "instances"> | null;

const NO_LATENCIES: ReadonlyMap<string, Histogram> = new Map();

/** Turns totals, which begin anew with each worker, into what came since the last look. */
export class CounterDeltas {
  #last = new Map<string, ServerCounts>();

  /**
   * @param latencies of requests since the last call, by `backend/server`, where they are looked at.
   * @returns one line for each instance with requests since the last call.
   */
  take(
    counts: readonly ServerCounts[],
    attribute: Attribution,
    latencies: ReadonlyMap<string, Histogram> = NO_LATENCIES,
  ): Counter[] {
    const lines: Counter[] = [];
    const next = new Map<string, ServerCounts>();
    for (const now of counts) {
      const id = `${now.backend}/${now.server}`;
      next.set(id, now);
      const last = this.#last.get(id);
      // A total that went down belongs to a new worker, which began at zero.
      const before = last !== undefined && last.requests <= now.requests ? last : null;
      const requests = now.requests - (before?.requests ?? 0);
      const failures = Math.max(0, failuresOf(now) - (before === null ? 0 : failuresOf(before)));
      // A request is counted when it comes, and its latency when it is answered, which may be in the next period.
      const answered = latencies.get(id);
      if (requests === 0 && failures === 0 && answered === undefined) continue;
      const instance = attribute(now.backend, now.server)?.instances[0];
      const [a, b, c, d, e] = now.responses.map((total, i) => Math.max(0, total - (before?.responses[i] ?? 0)));
      lines.push({
        service: now.backend.slice(0, now.backend.indexOf(":")),
        version: instance?.version ?? null,
        instance: instance?.name ?? null,
        requests,
        responses: [a ?? 0, b ?? 0, c ?? 0, d ?? 0, e ?? 0],
        failures,
        latencyMs: { average: now.averageMs, max: now.maxMs },
        ...(answered === undefined ? {} : { latencies: [...answered] }),
      });
    }
    this.#last = next;
    return lines;
  }
}
