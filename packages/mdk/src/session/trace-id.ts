const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;

/** The id of a session's trace as W3C has it: the UUID without dashes; null for what is no UUID. */
export function traceIdOf(uuid: string): string | null {
  return UUID.test(uuid) ? uuid.replaceAll("-", "").toLowerCase() : null;
}
