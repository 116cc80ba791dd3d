import { HEAD_LIMITS } from "@datawire/protocol";

/**
 * The head of an HTTP/1 response, read as HAProxy 2.6 reads it (src/h1.c): both accept the same responses, so that a
 * check sees what the traffic will see. It is as lenient as HAProxy with bare line feeds, folded lines and a length
 * that is given twice, and stricter in one thing: it refuses a NUL, as later versions and most clients do.
 */
export type ResponseHead =
  | { readonly state: "incomplete" }
  | {
      readonly state: "invalid";
      /** What is wrong, as a clause; the only values that it repeats are those that say how long the body is. */
      readonly reason: string;
    }
  | {
      readonly state: "complete";
      readonly status: number;
      /** Where the body begins. */
      readonly bodyAt: number;
      readonly framing: Framing;
    };

/** How the end of a body is found. */
export type Framing =
  | { readonly kind: "chunked" }
  | { readonly kind: "length"; readonly bytes: number }
  | { readonly kind: "close" };

/**
 * How large a head HAProxy accepts: `bytes` in its internal form (HTX), which is without spaces and line ends but has 8
 * more for each header (h1_eval_htx_size in src/h1_htx.c); `unreadBytes` as received, while the end has not come yet.
 */
export const RESPONSE_LIMITS = {
  bytes: HEAD_LIMITS.bufferBytes - HEAD_LIMITS.rewriteBytes - 69,
  unreadBytes: HEAD_LIMITS.bufferBytes - 64,
  headers: HEAD_LIMITS.lines - 1,
} as const;
const LENGTH_MAX = 2n ** 64n - 1n;
/** What each header takes beyond its characters; the status line and the end of the head count as a header each. */
const HEADER_BYTES = 8;

const VERSION_LENGTH = "HTTP/1.1".length;
/**
 * HAProxy turns any version from 1.1 up into HTTP/1.1 and passes on lower ones as they are; of these, clients know only
 * HTTP/1.0.
 */
const STATUS_LINE = /^(?:HTTP\/1\.0|[A-Z\d./]{4}\/(?:1\.[1-9]|[2-9]\.\d))[ \t]+(\d+)(?:[ \t]+(.*))?$/;
const CR = 0x0d;
const LF = 0x0a;
const COLON = 0x3a;
/** RFC 9110, section 5.6.2. */
const TOKEN = new Set(Buffer.from("!#$%&'*+-.^_`|~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"));
/** How much of a bad header name is shown: a line that lost its colon may contain anything. */
const NAME_SHOWN_MAX = 24;

/** Reads the head of a response from the bytes that have come so far. */
export function readResponseHead(bytes: Uint8Array): ResponseHead {
  const status = readStatusLine(bytes);
  if (status.state !== "line") return status.state === "incomplete" ? unfinished(bytes) : status;
  const headers: Header[] = [];
  let at = status.next;
  for (;;) {
    const header = readHeader(bytes, at, headers.length);
    if (header.state === "incomplete") return unfinished(bytes);
    if (header.state === "invalid") return header;
    at = header.next;
    if (header.state === "end") break;
    headers.push(header);
  }
  const framing = framingOf(headers);
  if ("state" in framing) return framing;
  const size = headers.reduce((sum, { name, value }) => sum + name.length + value.length + HEADER_BYTES, 0);
  if (size + status.length + 2 * HEADER_BYTES > RESPONSE_LIMITS.bytes) return TOO_LONG;
  return { state: "complete", status: status.status, bodyAt: at, framing };
}

type Unfinished = Extract<ResponseHead, { state: "incomplete" | "invalid" }>;
const INCOMPLETE = { state: "incomplete" } as const;
const invalid = (reason: string): Extract<Unfinished, { state: "invalid" }> => ({ state: "invalid", reason });

const TOO_LONG = invalid(`its head is longer than ${RESPONSE_LIMITS.bytes} bytes`);

function unfinished({ length }: Uint8Array): Unfinished {
  return length >= RESPONSE_LIMITS.unreadBytes ? TOO_LONG : INCOMPLETE;
}

type StatusLine =
  | Unfinished
  | { readonly state: "line"; readonly status: number; readonly length: number; readonly next: number };

function readStatusLine(bytes: Uint8Array): StatusLine {
  let from = 0;
  while (bytes[from] === LF || (bytes[from] === CR && bytes[from + 1] === LF)) from++;
  const end = lineEnd(bytes, from);
  const line = latin1(bytes, from, end?.at ?? bytes.length);
  if (end === null) return couldBeStatusLine(line) ? INCOMPLETE : noStatusLine(line);
  const match = STATUS_LINE.exec(line);
  if (match === null || line.includes("\r")) return noStatusLine(line);
  const [, code = "", reason = ""] = match;
  return { state: "line", status: Number(code), length: VERSION_LENGTH + code.length + reason.length, next: end.next };
}

/**
 * Whether the part of a line that has come may be the beginning of a status line, so that anything else is refused at
 * once.
 */
function couldBeStatusLine(line: string): boolean {
  return (
    line === "\r" || /^[A-Z\d./]{0,4}$|^[A-Z\d./]{4}\/[\d.]{0,3}$/.test(line) || /^[A-Z\d./]{4}\/\d\.\d[ \t]/.test(line)
  );
}

function noStatusLine(line: string): Unfinished {
  return invalid(`it begins with ${shown(line)}, and not with a status line such as HTTP/1.1 200 OK`);
}

interface Header {
  readonly name: string;
  readonly value: string;
}

type HeaderRead =
  | Unfinished
  | ({ readonly state: "header"; readonly next: number } & Header)
  | { readonly state: "end"; readonly next: number };

function readHeader(bytes: Uint8Array, from: number, before: number): HeaderRead {
  if (bytes[from] === undefined) return INCOMPLETE;
  if (bytes[from] === LF) return { state: "end", next: from + 1 };
  if (bytes[from] === CR) {
    if (bytes[from + 1] === undefined) return INCOMPLETE;
    return bytes[from + 1] === LF ? { state: "end", next: from + 2 } : invalid("a carriage return stands alone");
  }
  if (before >= RESPONSE_LIMITS.headers) return invalid(`it has more than ${RESPONSE_LIMITS.headers} headers`);
  let colon = from;
  while (TOKEN.has(bytes[colon] as number)) colon++;
  const name = latin1(bytes, from, colon);
  const stop = bytes[colon];
  if (stop === undefined) return INCOMPLETE;
  if (stop !== COLON) return invalid(noHeader(name, stop));
  if (name === "") return invalid("a header has no name");
  return readValue(bytes, colon + 1, name);
}

function noHeader(name: string, stop: number): string {
  if (stop === CR || stop === LF) return `the line ${shown(name)} of its head has no colon`;
  if (name === "") return `a line of its head begins with ${shown(String.fromCharCode(stop))}, and not with a name`;
  return `the name of its header ${shown(name)} goes on with ${shown(String.fromCharCode(stop))}`;
}

function readValue(bytes: Uint8Array, from: number, name: string): HeaderRead {
  let value = "";
  for (let at = from; ;) {
    const end = lineEnd(bytes, at);
    if (end === null) return INCOMPLETE;
    value += latin1(bytes, at, end.at);
    if (value.includes("\r")) return invalid(`the value of its header ${shown(name)} has a carriage return`);
    if (value.includes("\0")) return invalid(`the value of its header ${shown(name)} has a NUL`);
    const next = bytes[end.next];
    if (next === undefined) return INCOMPLETE;
    // A line that begins with a space goes on with the value (RFC 9112, section 5.2).
    if (!isSpace(next)) return { state: "header", name, value: trim(value), next: end.next };
    value += " ";
    at = end.next;
  }
}

function framingOf(headers: readonly Header[]): Framing | Extract<Unfinished, { state: "invalid" }> {
  const valuesOf = (name: string): string[] =>
    headers.filter((header) => header.name.toLowerCase() === name).map(({ value }) => value);
  const codings = valuesOf("transfer-encoding");
  const refusal = refusalOfCodings(codings);
  if (refusal !== null) return invalid(refusal);
  const lengths = valuesOf("content-length").flatMap((value) => value.split(",").map(trim));
  const wrong = lengths.find((length) => !/^\d+$/.test(length) || BigInt(length) > LENGTH_MAX);
  if (wrong !== undefined) return invalid(`its Content-Length is ${shown(wrong)}, which is no length`);
  const [length] = lengths;
  const other = lengths.find((one) => BigInt(one) !== BigInt(length as string));
  if (other !== undefined) return invalid(`its Content-Length is both ${shown(length as string)} and ${shown(other)}`);
  // RFC 9112, section 6.3: the transfer coding takes precedence over the length.
  if (codings.some((coding) => coding !== "")) return { kind: "chunked" };
  return length === undefined ? { kind: "close" } : { kind: "length", bytes: Number(length) };
}

/** HAProxy accepts `chunked` alone, and once. */
function refusalOfCodings(values: readonly string[]): string | null {
  const codings = values.flatMap((value) => (value === "" ? [] : value.replace(/,$/, "").split(",").map(trim)));
  const other = codings.find((coding) => coding.toLowerCase() !== "chunked");
  if (other !== undefined) return `its Transfer-Encoding is ${shown(other)}, which is not chunked`;
  return codings.length > 1 ? "its Transfer-Encoding says chunked more than once" : null;
}

/** Where the line that `from` is in ends, and the next begins; a carriage return is its end only before a line feed. */
function lineEnd(bytes: Uint8Array, from: number): { readonly at: number; readonly next: number } | null {
  const feed = bytes.indexOf(LF, from);
  if (feed < 0) return null;
  return { at: feed > from && bytes[feed - 1] === CR ? feed - 1 : feed, next: feed + 1 };
}

function latin1(bytes: Uint8Array, from: number, to: number): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset + from, to - from).toString("latin1");
}

const isSpace = (byte: number): boolean => byte === 0x20 || byte === 0x09;
const trim = (text: string): string => text.replace(/^[ \t]+|[ \t]+$/g, "");

/** A text for people: short, in quotes, and what cannot be seen as `\xHH`. */
function shown(text: string): string {
  const cut = text.length > NAME_SHOWN_MAX ? `${text.slice(0, NAME_SHOWN_MAX)}…` : text;
  const escaped = cut.replace(/[^\x20-\x7e…]/g, (c) => `\\x${c.charCodeAt(0).toString(16).padStart(2, "0")}`);
  return `"${escaped}"`;
}
