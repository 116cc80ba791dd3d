/**
 * The lines of a text that comes in pieces of bytes, without their ends: LF, or CR LF. All else is part of a line, which
 * `readline` would cut at a CR alone, and where Unicode has a separator.
 */
export async function* linesOf(pieces: AsyncIterable<Uint8Array | string>): AsyncGenerator<string> {
  const decoder = new TextDecoder();
  let rest = "";
  for await (const piece of pieces) {
    const [first = "", ...others] = (typeof piece === "string" ? piece : decoder.decode(piece, { stream: true })).split(
      "\n",
    );
    rest += first;
    for (const next of others) {
      yield withoutCr(rest);
      rest = next;
    }
  }
  rest += decoder.decode();
  if (rest !== "") yield withoutCr(rest);
}

const withoutCr = (line: string): string => (line.endsWith("\r") ? line.slice(0, -1) : line);
