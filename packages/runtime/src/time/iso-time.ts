/**
 * A moment as `toISOString()` has it, by its parts: V8 makes a text of a date with the zone of the machine in mind, for
 * which it loads all that it knows of zones, a megabyte.
 */
export function isoTime(ms: number): string {
  const at = new Date(ms);
  const year = at.getUTCFullYear();
  // Beyond four digits it has a sign, which no moment of ours comes near.
  if (!(year >= 0 && year <= 9_999)) return at.toISOString();
  const day = `${digits(year, 4)}-${digits(at.getUTCMonth() + 1)}-${digits(at.getUTCDate())}`;
  const time = `${digits(at.getUTCHours())}:${digits(at.getUTCMinutes())}:${digits(at.getUTCSeconds())}`;
  return `${day}T${time}.${digits(at.getUTCMilliseconds(), 3)}Z`;
}

const digits = (value: number, length = 2): string => String(value).padStart(length, "0");
