import { apart } from "./apart.ts";
import { OWN_NAME, type Rename } from "../model/spares.ts";

/** What HAProxy has counted for one server since its worker started. */
export interface ServerCounts {
  /** `BACKEND/server`. */
  readonly id: string;
  readonly backend: string;
  readonly server: string;
  /** 1xx to 5xx. */
  readonly responses: readonly [number, number, number, number, number];
  readonly requests: number;
  /** Connections that failed, and answers that did not come or were refused. */
  readonly unreached: number;
  readonly refused: number;
  /** What HAProxy's own check says about a server that it has taken out of use; null for one in use. */
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

/** The columns that are read of a row. */
const READ = [
  "stot",
  "econ",
  "eresp",
  "status",
  "lastchg",
  "hrsp_1xx",
  "hrsp_2xx",
  "hrsp_3xx",
  "hrsp_4xx",
  "hrsp_5xx",
  "check_status",
  "last_chk",
  "ttime",
  "ttime_max",
] as const;
type Column = (typeof READ)[number];

/** A value; with a comma or a quote in it, it stands in quotes (RFC 4180). No text is matched in two ways. */
const VALUE = '(?:"(?:[^"\\n]|"")*"|(?:[^",\\n][^,\\n]*)?)';
/** The names of a server, without that by which a backend leaves its requests to the next one: of spare backends that nothing stands in, this is all there is. */
const NAMES = "([^,\\n]*,(?!FB\\.)[^,\\n]*)";
/** What `type` says of a server. */
const SERVER = "2";

/**
 * How the rows of servers are found, and which group of the match has which column; null where the header is not one.
 */
interface Format {
  readonly row: RegExp;
  readonly groups: ReadonlyMap<Column, number>;
}

/** One answer of `show stat`, as it comes. */
export interface StatisticsReading {
  /** Reads some whole lines; the first of all is the header. */
  take(lines: string): void;
  /** The servers of services, when all has been read. */
  end(): ServerCounts[];
}

/**
 * Reads `show stat` (CSV with a header), most of which is the same each time: the counts of a server stay the same
 * object until they change. Rows are not split, as they have a hundred columns, of which few are wanted.
 */
export class Statistics {
  #header = "";
  #format: Format | null = null;
  /** By the names as HAProxy has them. */
  readonly #known = new Map<string, ServerCounts>();

  /** Begins to read an answer. @param own which backend a spare one is. */
  begin(own: Rename = OWN_NAME): StatisticsReading {
    const counts: ServerCounts[] = [];
    let isBegun = false;
    return {
      take: (lines) => {
        if (!isBegun) this.#readHeader(lines.slice(0, Math.max(0, lines.indexOf("\n"))));
        isBegun = true;
        this.#readRows(lines, own, counts);
      },
      end: () => {
        keepOnly(this.#known, counts);
        return counts;
      },
    };
  }

  #readHeader(header: string): void {
    if (header === this.#header) return;
    this.#header = apart(header);
    this.#format = formatOf(header);
  }

  #readRows(lines: string, own: Rename, counts: ServerCounts[]): void {
    if (this.#format === null) return;
    const { row, groups } = this.#format;
    row.lastIndex = 0;
    for (let match = row.exec(lines); match !== null; match = row.exec(lines)) {
      const names = match[1] as string;
      const before = this.#known.get(names);
      const now = countsOf(match, groups, { own, before });
      if (now === null) continue;
      // A name is a part of what came, which it would keep.
      if (now !== before) this.#known.set(before === undefined ? apart(names) : names, now);
      counts.push(now);
    }
  }
}

/** `show stat` read once. */
export function parseStat(answer: string, own?: Rename): ServerCounts[] {
  const reading = new Statistics().begin(own);
  reading.take(answer);
  return reading.end();
}

/** Forgets the servers that are not there any more. */
export function keepOnly(known: Map<string, ServerCounts>, counts: readonly ServerCounts[]): void {
  if (known.size <= counts.length) return;
  const there = new Set(counts.map(({ id }) => id));
  for (const [key, { id }] of known) if (!there.has(id)) known.delete(key);
}

function formatOf(header: string): Format | null {
  const columns = header.replace(/^# /, "").split(",");
  const groups = new Map<Column, number>();
  if (columns[0] !== "pxname" || columns[1] !== "svname") return null;
  const values = columns.slice(2).map((name) => {
    if (name === "type") return SERVER;
    if (!isRead(name)) return VALUE;
    groups.set(name, groups.size + 2);
    return `(${VALUE})`;
  });
  // The rows of proxies look the same but for their type.
  if (!values.includes(SERVER)) return null;
  // The rest of a row is passed over.
  const last = values.findLastIndex((value) => value !== VALUE);
  return { row: new RegExp(`^${[NAMES, ...values.slice(0, last + 1)].join(",")}(?=,|$)`, "gm"), groups };
}

const isRead = (name: string): name is Column => (READ as readonly string[]).includes(name);

function countsOf(
  match: RegExpExecArray,
  groups: Format["groups"],
  { own, before }: { readonly own: Rename; readonly before: ServerCounts | undefined },
): ServerCounts | null {
  const text = (name: Column): string => match[groups.get(name) ?? -1] ?? "";
  const number = (name: Column): number => Number(text(name)) || 0;
  const names = before ?? namesOf(match[1] as string, own);
  if (names === null) return null;
  const { id, backend, server } = names;
  const now: ServerCounts = {
    id,
    backend,
    server,
    responses: [number("hrsp_1xx"), number("hrsp_2xx"), number("hrsp_3xx"), number("hrsp_4xx"), number("hrsp_5xx")],
    requests: number("stot"),
    unreached: number("econ"),
    refused: number("eresp"),
    down: text("status").startsWith("DOWN")
      ? {
          seconds: number("lastchg"),
          check: apart(unquoted(text("check_status"))).replace("* ", ""),
          detail: apart(unquoted(text("last_chk"))),
        }
      : null,
    averageMs: number("ttime"),
    maxMs: number("ttime_max"),
  };
  return before !== undefined && isSame(now, before) ? before : now;
}

function namesOf(names: string, own: Rename): Pick<ServerCounts, "id" | "backend" | "server"> | null {
  const comma = names.indexOf(",");
  const backend = own(apart(names.slice(0, comma)));
  // Each backend of a service has a colon in its name.
  if (!backend.includes(":")) return null;
  const server = apart(names.slice(comma + 1));
  return { id: apart(`${backend}/${server}`), backend, server };
}

function isSame(a: ServerCounts, b: ServerCounts): boolean {
  if (a.down !== null || b.down !== null) return false;
  const keys = ["requests", "unreached", "refused", "averageMs", "maxMs"] as const;
  return keys.every((key) => a[key] === b[key]) && a.responses.every((count, i) => count === b.responses[i]);
}

function unquoted(value: string): string {
  return value.startsWith('"') ? value.slice(1, -1).replaceAll('""', '"') : value;
}
