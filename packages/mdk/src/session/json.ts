/** A value that JSON can hold. */
export type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json };

/** Thrown by `writeJson` and `copyJson` for what JSON cannot hold; says where in the value. */
export class NotJson extends Error {
  override readonly name = "NotJson";
}

/**
 * Writes a value as contexts have it: keys sorted by their escaped text, ASCII alone, numbers as ECMAScript, so that
 * all clients write the same bytes.
 * @throws NotJson
 */
export function writeJson(value: unknown): string {
  return write(value, "", new Set());
}

/** The value as it would arrive, and unchangeable. @throws NotJson */
export function copyJson(value: unknown): Json {
  return freeze(JSON.parse(writeJson(value)) as Json);
}

/** Writes a text with quotes: what is outside of U+0020 to U+007E is escaped, the lower half of hexadecimal digits. */
export function writeText(text: string): string {
  // JSON.stringify has the short escapes and those of control characters, and leaves the rest as it is.
  return JSON.stringify(text).replaceAll(/[^ -~]/g, escapeUnit);
}

/** How deep arrays and objects are nested in a text of JSON: 1 for `[]`. */
export function depthOf(text: string): number {
  let depth = 0;
  let deepest = 0;
  let quoted = false;
  for (let at = 0; at < text.length; at++) {
    const character = text[at];
    if (quoted) {
      if (character === "\\") at++;
      else if (character === '"') quoted = false;
    } else if (character === '"') quoted = true;
    else if (character === "{" || character === "[") deepest = Math.max(deepest, ++depth);
    else if (character === "}" || character === "]") depth--;
  }
  return deepest;
}

function escapeUnit(unit: string): string {
  return `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`;
}

function write(value: unknown, where: string, above: Set<object>): string {
  switch (typeof value) {
    case "string":
      return writeText(value);
    case "boolean":
      return String(value);
    case "number":
      if (Number.isFinite(value)) return JSON.stringify(value);
      throw refusal(String(value), where);
    case "object":
      return value === null ? "null" : writeObject(value, where, above);
    case "undefined":
    case "bigint":
    case "symbol":
    case "function":
      throw refusal(typeof value === "undefined" ? "undefined" : `a ${typeof value}`, where);
  }
}

function writeObject(value: object, where: string, above: Set<object>): string {
  if (above.has(value)) throw refusal("a cycle", where);
  above.add(value);
  const text = Array.isArray(value) ? writeArray(value, where, above) : writeRecord(value, where, above);
  above.delete(value);
  return text;
}

function writeArray(value: readonly unknown[], where: string, above: Set<object>): string {
  // Not `map`, which skips what is missing.
  return `[${Array.from(value, (item, i) => write(item, `${where}[${i}]`, above)).join(",")}]`;
}

function writeRecord(value: object, where: string, above: Set<object>): string {
  const prototype: unknown = Object.getPrototypeOf(value);
  const isPlain = prototype === null || Object.getPrototypeOf(prototype) === null;
  if (!isPlain) throw refusal(`an object of class ${value.constructor.name}`, where);
  const members = Object.entries(value).map(([key, member]): [string, string] => [
    writeText(key),
    write(member, `${where}.${key}`, above),
  ]);
  // By code units, of which each is one character of ASCII here.
  members.sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0));
  return `{${members.map(([key, text]) => `${key}:${text}`).join(",")}}`;
}

function refusal(what: string, where: string): NotJson {
  return new NotJson(`${where === "" ? "" : `at ${where.replace(/^\./, "")} `}it has ${what}, which JSON cannot hold`);
}

function freeze<T extends Json>(value: T): T {
  if (typeof value !== "object" || value === null) return value;
  for (const member of Object.values(value)) freeze(member);
  return Object.freeze(value);
}
