/** A socket that listens, as a row of `/proc/net/tcp`. */
export interface ListeningRow {
  readonly port: number;
  /** Where the row ends, in characters from the beginning of the text. */
  readonly end: number;
}

/** What a part of `/proc/net/tcp` says of the sockets that listen on this machine. */
export interface Listening {
  readonly rows: readonly ListeningRow[];
  /** False once a row of another state has come: the kernel lists the listening sockets first. */
  readonly more: boolean;
}

const ROW = /^ *\d+: [0-9A-F]+:([0-9A-F]{4}) [0-9A-F]+:[0-9A-F]{4} ([0-9A-F]{2}) /;
/** TCP_LISTEN in the kernel's `include/net/tcp_states.h`. */
const LISTEN = "0A";

/**
 * Finds the listening sockets in lines of `/proc/net/tcp` or `tcp6`, as proc(5) describes them.
 * @param start where the first line begins.
 */
export function readListening(lines: Iterable<string>, start: number): Listening {
  const rows: ListeningRow[] = [];
  let end = start;
  for (const line of lines) {
    end += line.length + 1;
    const match = ROW.exec(line);
    if (match === null) continue; // the heading
    if (match[2] !== LISTEN) return { rows, more: false };
    rows.push({ port: Number.parseInt(match[1] as string, 16), end });
  }
  return { rows, more: true };
}
