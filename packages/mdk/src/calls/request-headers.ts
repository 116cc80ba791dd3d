import type { Dispatcher } from "undici";
import { CONTEXT_HEADERS } from "./outgoing.ts";

/** Headers in any of the forms that undici takes. */
export type RequestHeaders = Dispatcher.DispatchOptions["headers"];

/** The headers of a request but for those of a context, names and values in turn; the array is the caller's to keep. */
export function withoutContext(headers: RequestHeaders): string[] {
  const kept: string[] = [];
  forEachHeader(headers, (name, value) => {
    if (!isContext(name)) kept.push(name, value);
  });
  return kept;
}

/** The headers of a request as pairs. */
export function pairsOf(headers: RequestHeaders): [name: string, value: string][] {
  const pairs: [string, string][] = [];
  forEachHeader(headers, (name, value) => pairs.push([name, value]));
  return pairs;
}

type Value = string | number | readonly string[] | null | undefined;

function forEachHeader(headers: RequestHeaders, take: (name: string, value: string) => void): void {
  if (headers === null || headers === undefined) return;
  if (isIterable(headers)) {
    if (Array.isArray(headers) && typeof headers[0] === "string") {
      for (let i = 0; i + 1 < headers.length; i += 2) takeAll(headers[i] as string, headers[i + 1], take);
    } else for (const [name, value] of headers as Iterable<readonly [string, Value]>) takeAll(name, value, take);
    return;
  }
  for (const [name, value] of Object.entries(headers)) takeAll(name, value, take);
}

function takeAll(name: string, value: Value, take: (name: string, value: string) => void): void {
  if (value === undefined) return;
  if (Array.isArray(value)) for (const one of value) take(name, String(one));
  else take(name, String(value));
}

const LENGTHS = new Set(CONTEXT_HEADERS.map(({ length }) => length));

/** Most names are told from these by their length. */
const isContext = (name: string): boolean => LENGTHS.has(name.length) && CONTEXT_HEADERS.includes(name.toLowerCase());

function isIterable(headers: object): headers is Iterable<unknown> {
  return typeof (headers as { readonly [Symbol.iterator]?: unknown })[Symbol.iterator] === "function";
}
