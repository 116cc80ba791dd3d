import { ProtocolError } from "@datawire/protocol";
import { z } from "zod";

/** A place in a list whose newest come first: the moment of what stands there, and its key among those of one moment. */
export interface Position {
  readonly atMs: number;
  readonly key: string;
}

/** Whether `a` stands before `b`. */
export const comparePositions = (a: Position, b: Position): number =>
  b.atMs - a.atMs || (a.key < b.key ? -1 : Number(a.key > b.key));

const schema = z.tuple([z.number(), z.string().max(500)]);

/** A position as a cursor, which its reader hands back as it is. */
export const writePosition = ({ atMs, key }: Position): string => encode([atMs, key]);

/** @throws ProtocolError `invalid_argument` for what was no cursor. */
export function readPosition(cursor: string): Position {
  const read = schema.safeParse(decode(cursor));
  if (!read.success) throw refused("cursor", "next");
  const [atMs, key] = read.data;
  return { atMs, key };
}

/** What tells an event from all others: the directory that has it, the number of its file, and its number in there. */
export const eventId = (self: string, file: number, event: number): string =>
  `${self}/${String(file).padStart(NUMBER_DIGITS, "0")}/${String(event).padStart(NUMBER_DIGITS, "0")}`;

/** So that ids are in the order of the numbers. */
const NUMBER_DIGITS = 12;

/** Where the newest event of each directory stands: the number of its file, and the number of the event in it. */
export type Tails = ReadonlyMap<string, readonly [file: number, event: number]>;

const tailsSchema = z.array(z.tuple([z.string().max(200), z.number(), z.number()])).max(100);

/** Tails as text, which its reader hands back as it is. */
export const writeTails = (tails: Tails): string =>
  encode([...tails].map(([who, [file, event]]) => [who, file, event]));

/** @throws ProtocolError `invalid_argument` for what was no tail. */
export function readTails(text: string): Tails {
  const read = tailsSchema.safeParse(decode(text));
  if (!read.success) throw refused("after", "tail");
  return new Map(read.data.map(([who, file, event]) => [who, [file, event]]));
}

/** Base64url of text without anything but ASCII. */
const encode = (value: unknown): string =>
  btoa(encodeURIComponent(JSON.stringify(value)))
    .replaceAll("+", "-")
    .replaceAll("/", "_")
    .replaceAll("=", "");

function decode(text: string): unknown {
  try {
    return JSON.parse(decodeURIComponent(atob(text.replaceAll("-", "+").replaceAll("_", "/"))));
  } catch {
    return undefined;
  }
}

const refused = (name: string, from: string): ProtocolError =>
  new ProtocolError("invalid_argument", `Cannot use this ${name}: wanted \`${from}\` of an answer before, as it is`);
