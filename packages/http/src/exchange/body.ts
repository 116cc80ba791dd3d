import type { IncomingMessage } from "node:http";
import { ProtocolError } from "@datawire/protocol";

/** The largest body of a change: 100 routes with long conditions are a tenth of it. */
const BODY_BYTES_MAX = 512 * 1024;

/** How long a sender may go on after it was answered. */
const DISCARD_MS_MAX = 1_000;

/**
 * Reads a JSON body.
 * @throws ProtocolError `limit_exceeded` past the bound, `invalid_argument` for anything that is no JSON.
 */
export async function readJson(req: IncomingMessage): Promise<unknown> {
  requireType(req, "application/json");
  const bytes = await readBytes(req, BODY_BYTES_MAX);
  try {
    return JSON.parse(bytes.toString("utf8"));
  } catch (error) {
    throw new ProtocolError("invalid_argument", `Cannot read the body: it is no JSON${whereOf(error)}`);
  }
}

/** The position of the syntax error; the message of the parser would quote the body. */
function whereOf(error: unknown): string {
  const message = error instanceof Error ? error.message : "";
  const [, line, column] = /line (\d+) column (\d+)/.exec(message) ?? [];
  if (line !== undefined) return `, from line ${line}, column ${column} on`;
  return /end of JSON|Unterminated/.test(message) ? ", as it ends too early" : "";
}

/**
 * Reads a body that is a file, part by part.
 * @throws ProtocolError `limit_exceeded` past the bound.
 */
export async function* readFileBody(
  req: IncomingMessage,
  { type, bytesMax }: { readonly type: string; readonly bytesMax: number },
): AsyncGenerator<Uint8Array> {
  requireType(req, type);
  yield* readParts(req, bytesMax);
}

/**
 * Lets what is left of a body pass that nobody reads: it would be taken for the next request. A sender that does not end
 * is cut off once it has had the time to read the answer.
 */
export function discardRest(req: IncomingMessage): void {
  if (req.complete) return;
  const cut = setTimeout(() => req.socket.destroy(), DISCARD_MS_MAX);
  req.once("close", () => clearTimeout(cut));
  req.resume();
}

/** Room in memory that many bodies share. */
export interface BodyRoom {
  /** @returns false where there is none left. */
  reserve(bytes: number): boolean;
  release(bytes: number): void;
}

/** A body that was read; `done` gives its room back. */
export interface WholeBody {
  readonly bytes: Buffer;
  readonly done: () => void;
}

/**
 * Reads a body whole, of whatever type.
 * @returns `too-large` past the bound, and `no-room` where others have taken the room for bodies that wait.
 * @throws ProtocolError `invalid_argument` where the connection ends before it.
 */
export async function readBoundedBody(
  req: IncomingMessage,
  { bytesMax, room }: { readonly bytesMax: number; readonly room: BodyRoom },
): Promise<WholeBody | "too-large" | "no-room"> {
  if (Number(req.headers["content-length"] ?? 0) > bytesMax) return "too-large";
  const chunks: Uint8Array[] = [];
  let reserved = 0;
  const done = (): void => room.release(reserved);
  try {
    for await (const chunk of readParts(req, Number.POSITIVE_INFINITY)) {
      if (reserved + chunk.length > bytesMax || !room.reserve(chunk.length)) {
        done();
        return reserved + chunk.length > bytesMax ? "too-large" : "no-room";
      }
      reserved += chunk.length;
      chunks.push(chunk);
    }
  } catch (error) {
    done();
    throw error;
  }
  return { bytes: Buffer.concat(chunks), done };
}

/** A page on another site can send forms and text without asking its reader's browser, and these types it cannot. */
function requireType(req: IncomingMessage, wanted: string): void {
  const type = (req.headers["content-type"] ?? "").split(";", 1)[0]?.trim().toLowerCase();
  if (type === wanted) return;
  throw new ProtocolError("invalid_argument", `Cannot take a body of type ${JSON.stringify(type)}: wanted ${wanted}`);
}

async function readBytes(req: IncomingMessage, bytesMax: number): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of readParts(req, bytesMax)) chunks.push(chunk);
  return Buffer.concat(chunks);
}

async function* readParts(req: IncomingMessage, bytesMax: number): AsyncGenerator<Uint8Array> {
  let bytes = 0;
  try {
    // A body beyond the bound is answered, so the connection must outlive the reading.
    for await (const chunk of req.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
      bytes += chunk.length;
      if (bytes > bytesMax)
        throw new ProtocolError("limit_exceeded", `Cannot take a body of more than ${bytesMax} bytes`);
      yield chunk;
    }
  } catch (cause) {
    if (cause instanceof ProtocolError) throw cause;
    // A client that broke off gets no answer, and no operator has to look into it.
    throw new ProtocolError("invalid_argument", "Cannot read the body: the connection ended before it did", { cause });
  }
}
