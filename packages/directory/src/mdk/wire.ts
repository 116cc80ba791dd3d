import { LOG_LEVELS, LOG_TEXT_LENGTH_MAX, type LogLevelWord, TRACE_ID_LENGTH_MAX } from "@datawire/protocol";
import { z } from "zod";

/**
 * The messages of the original MDK (its discovery protocol 2.0 and its tracing protocol): JSON objects, one a WebSocket
 * text frame. What is unknown or cannot be read is left out, as an original leaves out what it does not know.
 */

/** The version of the protocol that is spoken here; any of the same major version is understood. */
export const MDK_PROTOCOL_VERSION = "2.0.0";

/** Bounds of what an original may say of itself; nothing that it sends in earnest comes near. */
const TEXT_MAX = 1_024;
const PROPERTIES_BYTES_MAX = 8 * 1024;
const PROPERTIES_DEPTH_MAX = 64;
const CLOCK_LEVELS_MAX = 4_096;
/** How long an original may be trusted after its last word, in seconds; it says 30. */
const TTL_SECONDS = { min: 1, max: 300, default: 30 } as const;

/** The environment of a node or a session. */
export interface MdkEnvironment {
  readonly name: string;
  readonly fallbackName: string | null;
}

/** A node as an original says it; what it left out is null. */
export interface MdkNode {
  readonly id: string | null;
  readonly service: string;
  readonly version: string | null;
  readonly address: string;
  readonly properties: Readonly<Record<string, unknown>>;
  readonly environment: MdkEnvironment | null;
}

/** A log event as an original says it. */
export interface MdkLog {
  readonly traceId: string;
  readonly clock: readonly number[];
  readonly timestamp: number;
  readonly node: string;
  readonly level: LogLevelWord;
  readonly category: string;
  readonly text: string;
  readonly environment: MdkEnvironment | null;
}

/** What an original says. */
export type MdkMessage =
  | {
      readonly type: "open";
      readonly version: string;
      readonly mdkVersion: string;
      readonly nodeId: string | null;
      readonly environment: MdkEnvironment | null;
    }
  | { readonly type: "active"; readonly node: MdkNode; readonly ttlMs: number }
  | { readonly type: "expire"; readonly node: MdkNode }
  | { readonly type: "log"; readonly sequence: number; readonly event: MdkLog }
  | { readonly type: "subscribe" }
  | {
      readonly type: "interactionevent";
      readonly sequence: number;
      readonly uuid: string;
      readonly node: string;
      readonly results: Readonly<Record<string, unknown>>;
    };

/** What was read of a message of the original protocol. */
export type MdkRead =
  | { readonly state: "read"; readonly message: MdkMessage }
  /** A message of a type that nothing is done about. */
  | { readonly state: "ignored" }
  | { readonly state: "malformed"; readonly why: string };

const text = z.string().max(TEXT_MAX);
const environment = z
  .object({ name: text.min(1), fallbackName: text.nullish().transform((name) => name ?? null) })
  .nullish()
  .catch(null)
  .transform((one) => one ?? null);

const node = z.object({
  id: text.nullish().transform((id) => id ?? null),
  service: text.min(1),
  version: text.nullish().transform((version) => version ?? null),
  address: text.min(1),
  properties: z
    .record(z.string(), z.unknown())
    .nullish()
    .catch(null)
    .transform((properties) => bounded(properties ?? {})),
  environment,
});

const ttlMs = z
  .number()
  .nullish()
  .catch(null)
  .transform((seconds) => Math.min(TTL_SECONDS.max, Math.max(TTL_SECONDS.min, seconds ?? TTL_SECONDS.default)) * 1_000);
const sequence = z.int().min(0);

const schemas = {
  open: z.object({
    version: text.default(""),
    mdkVersion: text.nullish().transform((version) => version ?? ""),
    nodeId: text.nullish().transform((id) => id ?? null),
    environment,
  }),
  active: z.object({ node, ttl: ttlMs }).transform((active) => ({ node: active.node, ttlMs: active.ttl })),
  expire: z.object({ node }),
  log: z
    .object({
      sequence,
      context: z.object({
        traceId: z.string().min(1).max(TRACE_ID_LENGTH_MAX),
        clock: z
          .object({ clocks: z.array(z.int().min(0)).max(CLOCK_LEVELS_MAX) })
          .nullish()
          .catch(null),
        environment,
      }),
      timestamp: z.number().min(0).max(8.64e15),
      node: z.string().min(1).max(TRACE_ID_LENGTH_MAX),
      level: z
        .string()
        .transform((level) => level.toUpperCase())
        .pipe(z.enum(LOG_LEVELS)),
      category: z.string().max(TEXT_MAX).nullish(),
      text: z.string().max(LOG_TEXT_LENGTH_MAX).nullish(),
    })
    .transform(({ sequence: number, context, category, text: said, ...event }) => ({
      sequence: number,
      event: {
        ...event,
        traceId: context.traceId,
        clock: context.clock?.clocks ?? [0],
        environment: context.environment,
        category: category ?? "",
        text: said ?? "",
      },
    })),
  subscribe: z.object({}),
  interactionevent: z.object({
    sequence,
    uuid: text.min(1),
    node: text.nullish().transform((name) => name ?? ""),
    results: z
      .record(z.string(), z.unknown())
      .nullish()
      .catch(null)
      .transform((results) => results ?? {}),
  }),
} as const;

/** By type as JSON says it, and as the classes of the original are called: with or without `mdk_`, and with dots. */
const TYPES = new Map<string, keyof typeof schemas>([
  ...(Object.keys(schemas) as (keyof typeof schemas)[]).map((type) => [type, type] as const),
  ...(["mdk_protocol.Open", "mdk.protocol.Open", "discovery.protocol.Open"] as const).map(classOf("open")),
  ...(["mdk_discovery.protocol.Active", "discovery.protocol.Active"] as const).map(classOf("active")),
  ...(["mdk_discovery.protocol.Expire", "discovery.protocol.Expire"] as const).map(classOf("expire")),
  ...(["mdk_tracing.protocol.LogEvent", "tracing.protocol.LogEvent"] as const).map(classOf("log")),
  ...(["mdk_tracing.protocol.Subscribe", "tracing.protocol.Subscribe"] as const).map(classOf("subscribe")),
  ...(["mdk_metrics.InteractionEvent", "metrics.InteractionEvent"] as const).map(classOf("interactionevent")),
]);

function classOf(type: keyof typeof schemas) {
  return (name: string): [string, keyof typeof schemas] => [name, type];
}

/** Reads one frame. */
export function readMdkMessage(frame: string): MdkRead {
  let value: unknown;
  try {
    value = JSON.parse(frame);
  } catch {
    return { state: "malformed", why: "it is no JSON" };
  }
  if (typeof value !== "object" || value === null || !("type" in value) || typeof value.type !== "string")
    return { state: "malformed", why: "it has no type" };
  const type = TYPES.get(value.type);
  if (type === undefined) return { state: "ignored" };
  const read = schemas[type].safeParse(value);
  if (read.success) return { state: "read", message: { type, ...read.data } as MdkMessage };
  const [issue] = read.error.issues;
  return { state: "malformed", why: `its ${issue?.path.join(".") || type}: ${issue?.message ?? "malformed"}` };
}

/** Properties travel on to every original: what is too large or too deep for them does not. */
function bounded(properties: Record<string, unknown>): Record<string, unknown> {
  const isFine =
    depthOf(properties, PROPERTIES_DEPTH_MAX) <= PROPERTIES_DEPTH_MAX &&
    JSON.stringify(properties).length <= PROPERTIES_BYTES_MAX;
  if (isFine) return properties;
  const id = properties["datawire_nodeId"];
  return typeof id === "string" && id.length <= TEXT_MAX ? { datawire_nodeId: id } : {};
}

/** How deep a value is nested, or more than `max` where it is deeper; asks no deeper than that. */
function depthOf(value: unknown, max: number): number {
  if (typeof value !== "object" || value === null) return 0;
  if (max === 0) return 1;
  return 1 + Object.values(value).reduce<number>((deepest, one) => Math.max(deepest, depthOf(one, max - 1)), 0);
}

/** A node that an original can take in: all four are there. */
export interface ShownNode {
  readonly id: string;
  readonly service: string;
  readonly version: string;
  readonly address: string;
  readonly properties: Readonly<Record<string, unknown>>;
  readonly environment: string;
}

/** Frames to an original. */
export const frames = {
  open: (environmentName: string): string =>
    JSON.stringify({
      type: "open",
      version: MDK_PROTOCOL_VERSION,
      properties: {},
      environment: environmentOf(environmentName),
    }),
  clear: JSON.stringify({ type: "clear" }),
  close: (
    code: string,
    { title, detail, id }: { readonly title: string; readonly detail: string; readonly id: string },
  ) => JSON.stringify({ type: "close", error: { code, title, detail, id } }),
  active: (shown: ShownNode, ttlSeconds: number): string =>
    JSON.stringify({ type: "active", node: nodeOf(shown), ttl: ttlSeconds }),
  expire: (shown: ShownNode): string => JSON.stringify({ type: "expire", node: nodeOf(shown) }),
  logack: (number: number): string => JSON.stringify({ type: "logack", sequence: number }),
  interactionack: (number: number): string => JSON.stringify({ type: "interactionack", sequence: number }),
  log: ({
    traceId,
    clock,
    environment: environmentName,
    ...event
  }: Omit<MdkLog, "environment"> & { readonly environment: string }): string =>
    JSON.stringify({
      type: "log",
      context: { traceId, clock: { clocks: clock }, properties: {}, environment: environmentOf(environmentName) },
      contentType: "text/plain",
      ...event,
    }),
};

function nodeOf({ environment: name, ...shown }: ShownNode) {
  return { ...shown, environment: environmentOf(name) };
}

/** Class names let an original construct what it reads as it would its own; it does not need them. */
const environmentOf = (name: string): MdkEnvironment => ({ name, fallbackName: null });

/** Whether an original takes the node in: one that it does not freezes it for good. */
export function canBeShown(node: {
  readonly id: string | null;
  readonly service: string;
  readonly version: string | null;
  readonly address: string;
}): boolean {
  return [node.id, node.service, node.version, node.address].every((part) => typeof part === "string" && part !== "");
}
