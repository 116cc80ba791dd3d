import { maskSecrets } from "@datawire/protocol";

/** Causes deeper than this are left out: a chain may be a circle. */
const CAUSES_MAX = 8;

/** Prints an error and its causes on one line, "what failed: why: why that", never a stack and never a secret. */
export function describeError(error: unknown): string {
  const parts: string[] = [];
  let current = error;
  for (let depth = 0; depth < CAUSES_MAX && current !== undefined && current !== null; depth++) {
    const text = oneLine(current);
    // Many wrappers repeat the message of their cause; saying it once is enough.
    if (text !== "" && !parts.some((part) => part.includes(text))) parts.push(text);
    current = current instanceof Error ? current.cause : undefined;
  }
  return parts.length === 0 ? "unknown error" : maskSecrets(parts.join(": "));
}

function oneLine(error: unknown): string {
  return message(error)
    .replace(/\s*[\r\n]+\s*/g, " ")
    .trim();
}

function message(error: unknown): string {
  if (error instanceof AggregateError && error.message === "") return error.errors.map(message).join("; ");
  if (error instanceof Error) return error.message === "" ? error.name : error.message;
  if (typeof error === "string") return error;
  return JSON.stringify(error) ?? String(error);
}
