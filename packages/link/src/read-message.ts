import { type ServerMessage, serverMessageSchema } from "@datawire/protocol";

/** What a frame of a directory turned out to be. */
export type ReadMessage =
  | { readonly state: "read"; readonly message: ServerMessage }
  /** A newer directory may say more than this code knows. */
  | { readonly state: "unknown"; readonly type: string }
  | { readonly state: "unusable"; readonly reason: string };

const KNOWN_TYPES: ReadonlySet<string> = new Set(serverMessageSchema.options.map((option) => option.shape.type.value));

/** Reads one frame; what comes out of it obeys the schema. */
export function readServerMessage(text: string): ReadMessage {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return { state: "unusable", reason: "it sent something that is no JSON" };
  }
  const type = typeof value === "object" && value !== null && "type" in value ? value.type : undefined;
  if (typeof type !== "string") return { state: "unusable", reason: "it sent a message without a type" };
  if (!KNOWN_TYPES.has(type)) return { state: "unknown", type };
  const parsed = serverMessageSchema.safeParse(value);
  if (parsed.success) return { state: "read", message: parsed.data };
  const [issue] = parsed.error.issues;
  const where = issue?.path.join(".") ?? "";
  return { state: "unusable", reason: `it sent a malformed ${type}: ${where}: ${issue?.message ?? "invalid"}` };
}
