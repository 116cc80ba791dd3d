import {
  accessSchema,
  certificateSchema,
  deltaSchema,
  drainingSchema,
  errorMessageSchema,
  type LeftOut,
  loggedSchema,
  logSchema,
  readEntities,
  registeredSchema,
  type ServerMessage,
  snapshotSchema,
  tableChangeSchema,
  type UnreadEntities,
  warmSchema,
  welcomeSchema,
} from "@datawire/protocol";
import { z } from "zod";

/** What could not be read of a message that brings entities; left out where all could. */
interface Omissions {
  readonly leftOut?: readonly LeftOut[];
}

/** A message of a directory of which every entity can be read. */
export type ReceivedMessage =
  | Exclude<ServerMessage, { type: "snapshot" | "delta" }>
  | (Extract<ServerMessage, { type: "snapshot" }> & Omissions)
  | (Extract<ServerMessage, { type: "delta" }> & Omissions);

/** What a frame of a directory turned out to be. */
export type ReadMessage =
  | { readonly state: "read"; readonly message: ReceivedMessage }
  /** A newer directory may say more than this code knows. */
  | { readonly state: "unknown"; readonly type: string }
  | { readonly state: "unusable"; readonly reason: string };

const list = z.array(z.unknown()).default([]);
const unread = { services: list, instances: list, tables: list };

/** The messages of the protocol with their entities unread: a wrong entity must not cost the others. */
const snapshot = snapshotSchema.extend(unread).transform((message) => withEntities(message, message));
const delta = deltaSchema.extend({ change: tableChangeSchema.extend(unread).prefault({}) }).transform((message) => {
  const { leftOut, ...change } = withEntities(message.change, message.change);
  return { ...message, change, ...(leftOut !== undefined && { leftOut }) };
});

const SCHEMAS = new Map<string, z.ZodType<ReceivedMessage>>([
  ["welcome", welcomeSchema],
  ["snapshot", snapshot],
  ["delta", delta],
  ["warm", warmSchema],
  ["registered", registeredSchema],
  ["draining", drainingSchema],
  ["access", accessSchema],
  ["certificate", certificateSchema],
  ["logged", loggedSchema],
  ["log", logSchema],
  ["error", errorMessageSchema],
]);

/** Reads one frame; what comes out of it obeys the schema, and every entity in it can be read. */
export function readServerMessage(text: string): ReadMessage {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return { state: "unusable", reason: "it sent something that is no JSON" };
  }
  const type = typeof value === "object" && value !== null && "type" in value ? value.type : undefined;
  if (typeof type !== "string") return { state: "unusable", reason: "it sent a message without a type" };
  const schema = SCHEMAS.get(type);
  if (schema === undefined) return { state: "unknown", type };
  const parsed = schema.safeParse(value);
  if (parsed.success) return { state: "read", message: parsed.data };
  const [issue] = parsed.error.issues;
  const where = issue?.path.join(".") ?? "";
  return { state: "unusable", reason: `it sent a malformed ${type}: ${where}: ${issue?.message ?? "invalid"}` };
}

/** Replaces the unread entities of something by those that can be read. */
function withEntities<T>(rest: T, entities: UnreadEntities) {
  const { leftOut, ...read } = readEntities(entities);
  return { ...rest, ...read, ...(leftOut.length > 0 && { leftOut }) };
}
