/**
 * A text of its own: a part of a text keeps all of it in memory, which of an answer of HAProxy's may be a megabyte of
 * which a name is wanted.
 */
export function apart(part: string): string {
  return JSON.parse(JSON.stringify(part)) as string;
}
