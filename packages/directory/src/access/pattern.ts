import { NAME_RULE, ProtocolError } from "@datawire/protocol";

/** A service name in which `*` stands for any number of characters, none included: `billing-*`. What no name can begin or end with fits none. */
const PATTERN = /^(?:[a-z0-9_*]|[a-z0-9_*][a-z0-9_.*-]{0,98}[a-z0-9_*])$/;

/**
 * Checks what was typed as `--services`.
 * @throws ProtocolError `invalid_argument`
 */
export function parsePattern(text: string): string {
  const plain = text.startsWith("//") ? text.slice(2) : text;
  if (PATTERN.test(plain)) return plain;
  throw new ProtocolError(
    "invalid_argument",
    `Cannot use ${JSON.stringify(text)} as a pattern of services: wanted a name (${NAME_RULE}), with * for any characters`,
  );
}

/** A host name or an IP address, in which `*` stands for any number of characters. */
const HOST_PATTERN = /^(?:[a-z0-9_*](?:[a-z0-9_.*-]{0,251}[a-z0-9_*])?|[0-9a-f:.]{2,45})$/i;

/**
 * Checks what was typed as `--hosts`.
 * @throws ProtocolError `invalid_argument`
 */
export function parseHostPattern(text: string): string {
  if (HOST_PATTERN.test(text)) return text.toLowerCase();
  throw new ProtocolError(
    "invalid_argument",
    `Cannot use ${JSON.stringify(text)} as a pattern of hosts: wanted a host name or an IP address, with * for any characters`,
  );
}

/** Whether a name fits a pattern. Takes time in proportion to the lengths alone, whatever the pattern. */
export function fitsPattern(name: string, pattern: string): boolean {
  const [first = "", ...rest] = pattern.split("*");
  if (!name.startsWith(first)) return false;
  if (rest.length === 0) return name === first;
  const last = rest.pop() as string;
  let at = first.length;
  for (const piece of rest) {
    const found = name.indexOf(piece, at);
    if (found < 0) return false;
    at = found + piece.length;
  }
  return name.length - last.length >= at && name.endsWith(last);
}
