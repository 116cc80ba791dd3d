import { TRACE_ID_LENGTH_MAX } from "@datawire/protocol";
import { depthOf, type Json, writeJson, writeText } from "./json.ts";

/** The header that carries a context from one service to the next. */
export const CONTEXT_HEADER = "X-MDK-Context";

/** The operational environment of a session, and the one asked instead while this one never had what is asked for. */
export interface Environment {
  readonly name: string;
  readonly fallbackName: string | null;
}

/** What one service tells the next of a session. */
export interface Context {
  readonly traceId: string;
  /** A Lamport clock with a number for each level of causality: `[1] < [1,1] < [2]`. */
  readonly clock: readonly number[];
  readonly properties: ReadonlyMap<string, Json>;
  readonly environment: Environment;
}

/** What a text that came from outside turned out to be. */
export type ContextRead =
  | { readonly state: "read"; readonly context: Context }
  | { readonly state: "ignored"; readonly reason: string };

/** The environment of all that knows none. */
export const SANDBOX: Environment = { name: "sandbox", fallbackName: null };
/** The longest context that is read; servers bound the headers of a request, 8 KiB is what the smallest take. */
export const CONTEXT_BYTES_MAX = 8_192;
/** Arrays and objects are nested no deeper in one that is read. */
export const CONTEXT_DEPTH_MAX = 64;
/** What an environment may be called, at the most. */
const ENVIRONMENT_LENGTH_MAX = 100;

/** A written context, but for the last number of its clock, which is another one in each that a session sends. */
export interface ContextParts {
  readonly before: string;
  readonly after: string;
}

/** Writes a context in one line, byte for byte as every client does. */
export function writeContext(context: Context): string {
  const { before, after } = writeContextParts(context);
  return `${before}${context.clock.at(-1) ?? ""}${after}`;
}

/** Writes what stands around the last number of the clock. */
export function writeContextParts({ traceId, clock, properties, environment }: Context): ContextParts {
  const { name, fallbackName } = environment;
  const fallback = fallbackName === null ? "null" : writeText(fallbackName);
  const levels = clock.slice(0, -1).map((level) => `${level},`);
  return {
    before:
      `{"$class":"mdk_protocol.SharedContext","traceId":${writeText(traceId)}` +
      `,"clock":{"$class":"mdk_protocol.LamportClock","clocks":[${levels.join("")}`,
    after:
      `]},"properties":${writeProperties(properties)}` +
      `,"environment":{"$class":"mdk_protocol.OperationalEnvironment","name":${writeText(name)},"fallbackName":${fallback}}}`,
  };
}

function writeProperties(properties: ReadonlyMap<string, Json>): string {
  return properties.size === 0 ? "{}" : writeJson(Object.fromEntries(properties));
}

/** Reads a context that came from outside: missing parts are as in a new one, and what is unknown is left out. */
export function readContext(text: string): ContextRead {
  const bytes = utf8Length(text);
  if (bytes > CONTEXT_BYTES_MAX) return ignored(`it has ${bytes} bytes, wanted ${CONTEXT_BYTES_MAX} at the most`);
  // Before it is parsed: what parses recurses.
  const depth = depthOf(text);
  if (depth > CONTEXT_DEPTH_MAX) return ignored(`it is nested ${depth} deep, wanted ${CONTEXT_DEPTH_MAX} at the most`);
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return ignored("it is no JSON");
  }
  if (!isRecord(value)) return ignored("it is no object");
  const { traceId, clock, properties, environment } = value;
  if (typeof traceId !== "string" || traceId === "") return ignored("it has no traceId");
  if (traceId.length > TRACE_ID_LENGTH_MAX)
    return ignored(`its traceId has ${traceId.length} characters, wanted ${TRACE_ID_LENGTH_MAX} at the most`);
  const context: Context = {
    traceId,
    clock: readClock(clock),
    // A Map, as one of the keys may be `__proto__`.
    properties: new Map(isRecord(properties) ? (Object.entries(properties) as [string, Json][]) : []),
    environment: readEnvironment(environment),
  };
  // Where characters came as they are, they go on as escapes, up to three times as long.
  const written = bytes === text.length ? 0 : writeContext(context).length;
  if (written > CONTEXT_BYTES_MAX)
    return ignored(`it has ${written} bytes when it is written, wanted ${CONTEXT_BYTES_MAX} at the most`);
  return { state: "read", context };
}

/** The length of a text in bytes of UTF-8. */
export function utf8Length(text: string): number {
  let bytes = text.length;
  for (let at = 0; at < text.length; at++) {
    const unit = text.charCodeAt(at);
    if (unit < 0x80) continue;
    // A pair of surrogates is four bytes, and two units.
    bytes += unit < 0x800 || (unit >= 0xd800 && unit < 0xe000) ? 1 : 2;
  }
  return bytes;
}

function readClock(value: unknown): readonly number[] {
  const clocks = isRecord(value) ? value["clocks"] : null;
  const isClock = Array.isArray(clocks) && clocks.length > 0 && clocks.every(isTick);
  return isClock ? (clocks as readonly number[]) : [0];
}

/** Leaves room to count on. */
const isTick = (value: unknown): boolean => Number.isSafeInteger(value) && (value as number) >= 0;

function readEnvironment(value: unknown): Environment {
  if (!isRecord(value) || !isEnvironmentName(value["name"])) return SANDBOX;
  const { name, fallbackName } = value;
  return { name, fallbackName: isEnvironmentName(fallbackName) ? fallbackName : null };
}

function isEnvironmentName(value: unknown): value is string {
  return typeof value === "string" && value !== "" && value.length <= ENVIRONMENT_LENGTH_MAX;
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

const ignored = (reason: string): ContextRead => ({ state: "ignored", reason });
