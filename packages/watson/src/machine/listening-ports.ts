import { closeSync, openSync, readSync } from "node:fs";
import { type ListeningRow, readListening } from "./listening.ts";

/** A file of the kernel's, which makes its text anew for each reader that begins at 0. */
export interface KernelTable {
  /** A text of at most so many characters, empty at the end. @param at how much of it has been read. @throws Error */
  read(lengthMax: number, at: number): string;
  close(): void;
}

/** Opens a file of the kernel's; null where the system does not tell. */
export type OpenTable = (path: string) => KernelTable | null;

const PATHS = ["/proc/net/tcp", "/proc/net/tcp6"];
/** The kernel answers a longer read by looking for what follows as well. */
const CHUNK = 4_096;

/**
 * Finds the sockets that listen on each port of this machine, as far as this process sees its network: those of
 * containers are not among them.
 */
export class ListeningPorts {
  readonly #tables: readonly Table[];

  constructor(open: OpenTable = openTable) {
    this.#tables = PATHS.map((path) => new Table(path, open));
  }

  /**
   * Null where the system does not tell (it is not Linux).
   * @param until the ports whose end has to be seen; null where sockets that have come since then have to be, too. To
   * see that a socket is still there, the rows up to it are read again. The rest is not, as behind the last listening
   * socket the kernel searches all its connections for the next row: milliseconds, where it has room for many.
   */
  readonly read = (until: ReadonlySet<number> | null): Map<number, number> | null => {
    const tables = this.#tables.map((table) => table.rows(until));
    if (tables.every((rows) => rows === null)) return null;
    const counts = new Map<number, number>();
    for (const rows of tables) for (const { port } of rows ?? []) counts.set(port, (counts.get(port) ?? 0) + 1);
    return counts;
  };
}

/** One file of the kernel's, with what was last seen in it. */
class Table {
  readonly #path: string;
  readonly #open: OpenTable;
  /** Open from one look to the next: opening and closing it took as long as reading it. */
  #file: KernelTable | null = null;
  #rows: readonly ListeningRow[] | null = null;
  /** What was last found to be the same: the same text again need not be read. */
  #same = "";

  constructor(path: string, open: OpenTable) {
    this.#path = path;
    this.#open = open;
  }

  /** The sockets that listen; null where the system does not tell. */
  rows(until: ReadonlySet<number> | null): readonly ListeningRow[] | null {
    if (until === null || this.#rows === null || !this.#areStillThere(this.#rows, until)) this.#rows = this.#afresh();
    return this.#rows;
  }

  /** Whether these rows are the same as before, up to the last one of these ports. */
  #areStillThere(rows: readonly ListeningRow[], ports: ReadonlySet<number>): boolean {
    const last = rows.findLastIndex(({ port }) => ports.has(port));
    const length = rows[last]?.end;
    if (length === undefined) return true;
    const text = this.#reading((read) => {
      let all = "";
      for (let more = read(length); more !== "" && all.length < length; more = read(length - all.length)) all += more;
      return all;
    });
    if (text === null) return false;
    if (text === this.#same) return true;
    // A row that has become longer ends early: what it says of its socket stands at its beginning.
    const now = readListening(text.split("\n"), 0).rows;
    const isSame = now.length === last + 1 && now.every(({ port }, i) => port === rows[i]?.port);
    this.#same = isSame ? text : "";
    return isSame;
  }

  #afresh(): readonly ListeningRow[] | null {
    this.#same = "";
    return this.#reading((read) => {
      const rows: ListeningRow[] = [];
      let rest = "";
      let at = 0;
      for (let text = read(CHUNK); text !== ""; text = read(CHUNK)) {
        const lines = (rest + text).split("\n");
        const start = at - rest.length;
        at += text.length;
        rest = lines.pop() ?? "";
        const { rows: found, more } = readListening(lines, start);
        rows.push(...found);
        if (!more) break;
      }
      return rows;
    });
  }

  /** Synchronous on purpose: the kernel makes the text while it is read, and no disk is waited for. */
  #reading<T>(work: (read: (lengthMax: number) => string) => T): T | null {
    const file = (this.#file ??= this.#open(this.#path));
    if (file === null) return null;
    let at = 0;
    try {
      return work((lengthMax) => {
        const text = file.read(lengthMax, at);
        at += text.length;
        return text;
      });
    } catch {
      this.#file = null;
      file.close();
      return null;
    }
  }
}

function openTable(path: string): ReturnType<OpenTable> {
  let file: number;
  try {
    file = openSync(path, "r");
  } catch {
    return null;
  }
  return {
    read(lengthMax, at) {
      const buffer = Buffer.allocUnsafe(lengthMax);
      return buffer.toString("latin1", 0, readSync(file, buffer, 0, lengthMax, at));
    },
    close: () => closeSync(file),
  };
}
