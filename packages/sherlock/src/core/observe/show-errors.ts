/** What HAProxy has kept of the last answer that it refused in one backend (management guide, "show errors"). */
export interface RefusedAnswer {
  readonly server: string;
  /** Tells it from the ones before. */
  readonly event: string;
  /** The answer as it came, or its beginning. */
  readonly bytes: Uint8Array;
}

/** Reads `show errors BACKEND response`; null where nothing is kept. */
export function parseRefusedAnswer(answer: string): RefusedAnswer | null {
  const head = /^\[(\S+)\] backend \S+ \(#\d+\): invalid response$/m.exec(answer);
  const from = /, server (\S+) \(#\d+\), event #(\d+),/.exec(answer);
  if (head === null || from === null) return null;
  // `  00017  text` for a line, and `  00097+ text` for the rest of a long one.
  const lines = [...answer.matchAll(/^ {2}\d{5}[ +] (.*)$/gm)].map(([, text = ""]) => text);
  return {
    server: from[1] as string,
    event: `${head[1]} ${from[2]}`,
    bytes: Uint8Array.from(unescape(lines.join("")), (character) => character.charCodeAt(0) & 0xff),
  };
}

const ESCAPED: ReadonlyMap<string, string> = new Map(Object.entries({ t: "\t", n: "\n", r: "\r", e: "\u001b" }));

function unescape(text: string): string {
  return text.replace(/\\(x[0-9A-Fa-f]{2}|.)/g, (_, what: string) =>
    what.startsWith("x") ? String.fromCharCode(Number.parseInt(what.slice(1), 16)) : (ESCAPED.get(what) ?? what),
  );
}
