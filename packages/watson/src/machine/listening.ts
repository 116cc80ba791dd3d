/** What a part of `/proc/net/tcp` says of the sockets that listen on this machine. */
export interface Listening {
  /** Sockets by port, added to what came before. */
  readonly counts: Map<number, number>;
  /** False once a row of another state has come: the kernel lists the listening sockets first. */
  readonly more: boolean;
}

const ROW = /^ *\d+: [0-9A-F]+:([0-9A-F]{4}) [0-9A-F]+:[0-9A-F]{4} ([0-9A-F]{2}) /;
/** TCP_LISTEN in the kernel's `include/net/tcp_states.h`. */
const LISTEN = "0A";

/** Counts the listening sockets in whole lines of `/proc/net/tcp` or `tcp6`, as proc(5) describes them. */
export function countListening(lines: Iterable<string>, counts: Map<number, number>): Listening {
  for (const line of lines) {
    const match = ROW.exec(line);
    if (match === null) continue; // the heading
    if (match[2] !== LISTEN) return { counts, more: false };
    const port = Number.parseInt(match[1] as string, 16);
    counts.set(port, (counts.get(port) ?? 0) + 1);
  }
  return { counts, more: true };
}
