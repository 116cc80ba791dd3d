const HOUR_MS = 3_600_000;
/** Parts of one hour, where it has more than one file may. */
const PARTS_MAX = 1_000;

const NAME = /^(\d{4}-\d{2}-\d{2}T\d{2})(?:-(\d{1,3}))?\.db$/;

/** The number of the file for a moment, which grows from file to file. */
export const fileNumber = (nowMs: number): number => Math.floor(nowMs / HOUR_MS) * PARTS_MAX;

/** The hour of a file, as hours since 1970. */
export const hourOf = (number: number): number => Math.floor(number / PARTS_MAX);

/** When the hour of a file is over, in milliseconds since 1970. */
export const endOf = (number: number): number => (hourOf(number) + 1) * HOUR_MS;

/** `2026-11-30T03.db`; further parts of the hour are `2026-11-30T03-1.db`. */
export function fileName(number: number): string {
  const hour = new Date(hourOf(number) * HOUR_MS).toISOString().slice(0, 13);
  const part = number % PARTS_MAX;
  return part === 0 ? `${hour}.db` : `${hour}-${part}.db`;
}

/** The number of a file by its name; null for what is no file of the store. */
export function numberOfName(name: string): number | null {
  const match = NAME.exec(name);
  if (match === null) return null;
  const at = Date.parse(`${match[1]}:00:00Z`);
  return Number.isNaN(at) ? null : fileNumber(at) + Number(match[2] ?? 0);
}
