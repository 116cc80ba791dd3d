import { readFileSync } from "node:fs";
import { createSecureContext, rootCertificates, type SecureContext } from "node:tls";
import { type Clock, SYSTEM_CA_FILES } from "@datawire/runtime";

/** How long what was read is used: a new authority of the system's is known soon after, and reading takes some 30 ms. */
const FRESH_MS = 600_000;

/**
 * Makes the authorities that checks verify with: those of the system, as HAProxy does, and the project's own. Not those
 * that come with Node, which only stand in where the system has none: a company's own is in the one place alone, and one
 * that the system has given up in the other.
 * @param ca in PEM; null for none.
 */
export function createAuthorities(
  ca: string | null,
  {
    clock,
    files = SYSTEM_CA_FILES,
  }: { readonly clock: Pick<Clock, "monotonicMs">; readonly files?: readonly string[] },
): () => SecureContext {
  let made: { readonly context: SecureContext; readonly untilMs: number } | null = null;
  return () => {
    const nowMs = clock.monotonicMs();
    if (made === null || nowMs >= made.untilMs) {
      const system = readFirst(files) ?? rootCertificates.join("\n");
      made = {
        context: createSecureContext({ ca: ca === null ? system : [system, ca] }),
        untilMs: nowMs + FRESH_MS,
      };
    }
    return made.context;
  };
}

function readFirst(files: readonly string[]): string | null {
  for (const file of files) {
    try {
      return readFileSync(file, "utf8");
    } catch {
      // Other distributions have the file elsewhere.
    }
  }
  return null;
}
