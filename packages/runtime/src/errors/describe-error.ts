import { maskSecrets } from "@datawire/protocol";
import { formatListenAddress } from "../net/listen-address.ts";
import { wordsOf } from "./system-error.ts";

/** Causes deeper than this are left out, as a chain of causes may be circular. */
const CAUSES_MAX = 8;

/** Prints an error and its causes on one line, "what failed: why: why that", never a stack and never a secret. */
export function describeError(error: unknown): string {
  const parts: string[] = [];
  let current = error;
  for (let depth = 0; depth < CAUSES_MAX && current !== undefined && current !== null; depth++) {
    const text = oneLine(current);
    // Many wrappers repeat the message of their cause, or have put it into words: it is said once.
    const words = wordsOf(current);
    const isKnown = words !== null && parts.some((part) => part.includes(words));
    if (text !== "" && !isKnown && !parts.some((part) => part.includes(text))) parts.push(text);
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
  if (error instanceof Error) return systemSentence(error) ?? (error.message === "" ? error.name : error.message);
  if (typeof error === "string") return error;
  return JSON.stringify(error) ?? String(error);
}

/**
 * What the system reports, in words, with the file or the address that it is about: "Cannot open /x: permission
 * denied".
 */
function systemSentence(
  error: Error & { syscall?: unknown; path?: unknown; address?: unknown; port?: unknown },
): string | null {
  const words = wordsOf(error);
  if (words === null) return null;
  const { syscall, path, address, port } = error;
  if (typeof path === "string" && typeof syscall === "string") return `Cannot ${syscall} ${path}: ${words}`;
  if (typeof address === "string" && typeof port === "number")
    return `${words} (${formatListenAddress({ host: address, port })})`;
  return typeof syscall === "string" && !syscall.startsWith("getaddrinfo") ? `Cannot ${syscall}: ${words}` : words;
}
