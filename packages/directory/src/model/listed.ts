/** The most instances that one line of the log names. */
const LISTED_MAX = 20;

/** Names for a line of the log, as many as it takes. */
export function listed(names: readonly string[]): string {
  const more = names.length - LISTED_MAX;
  return [...names.slice(0, LISTED_MAX), ...(more > 0 ? [`and ${more} more`] : [])].join(", ");
}
