import { MdkError } from "./mdk-error.ts";
import { copyJson, type Json, NotJson } from "./json.ts";

/** Keys that the library keeps what it needs under; no application sets them. */
const RESERVED_KEYS = ["timeout", "trace", "routes"] as const;

/**
 * A value that may be kept under a key, as it would arrive at another service.
 * @throws MdkError `invalid_argument` that names the key.
 */
export function requireProperty(key: unknown, value: unknown): Json {
  if (typeof key !== "string") throw refusal(String(key), "wanted a text as its key");
  if (RESERVED_KEYS.some((reserved) => reserved === key)) {
    const instead = key === "timeout" ? ": setDeadline() sets it" : key === "trace" ? ": trace() sets it" : "";
    throw refusal(key, `the library keeps its own there${instead}`);
  }
  try {
    return copyJson(value);
  } catch (error) {
    if (error instanceof NotJson) throw refusal(key, error.message, error);
    // Nested so deep that writing it overflows the stack.
    if (error instanceof RangeError) throw refusal(key, "it is nested too deep", error);
    throw error;
  }
}

function refusal(key: string, why: string, cause?: Error): MdkError {
  return new MdkError("invalid_argument", `Cannot set the property ${JSON.stringify(key.slice(0, 100))}: ${why}`, {
    cause,
  });
}
