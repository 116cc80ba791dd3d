import { own } from "@datawire/protocol";

/**
 * What a newer version has written into a record beside what this one knows of it. It is kept apart, as nothing else may
 * depend on it, and goes back into the record whenever that is written: to go back to an older version loses nothing.
 */
export interface UnknownFields {
  /** Fields of this object; of a list none. */
  readonly fields: readonly (readonly [name: string, value: unknown])[];
  /** Of what is known, by the name of the field, or by what tells the items of a list apart. */
  readonly within: ReadonlyMap<string, UnknownFields>;
  /** How many items a list has; null for an object. */
  readonly length: number | null;
}

/** What is in `written` and not in what was read of it; null where that is nothing. */
export function unknownFields(written: unknown, known: unknown): UnknownFields | null {
  // Of nearly all records nothing is unknown, and a history has thousands of them.
  return hasUnknown(written, known) ? collect(written, known) : null;
}

function hasUnknown(written: unknown, known: unknown): boolean {
  if (typeof written !== "object" || written === null || typeof known !== "object" || known === null) return false;
  if (Array.isArray(written)) {
    const read: readonly unknown[] = Array.isArray(known) ? known : [];
    return written.some((item, i) => hasUnknown(item, read[i]));
  }
  const fields = known as Readonly<Record<string, unknown>>;
  return Object.entries(written).some(([name, value]) => {
    const read = own(fields, name);
    return read === undefined || hasUnknown(value, read);
  });
}

function collect(written: unknown, known: unknown): UnknownFields | null {
  const [before, after] = [partsOf(written), partsOf(known)];
  if (before === null || after === null || (before.length === null) !== (after.length === null)) return null;
  const fields: [string, unknown][] = [];
  const within = new Map<string, UnknownFields>();
  for (const [name, value] of before.parts) {
    const read = after.parts.get(name);
    if (read === undefined && before.length === null) fields.push([name, value]);
    const deeper = collect(value, read);
    if (deeper !== null) within.set(name, deeper);
  }
  return fields.length + within.size === 0 ? null : { fields, within, length: before.length };
}

/** A value with what is unknown of it put back; what of it is not there any more takes its unknown fields along. */
export function withUnknownFields(known: unknown, unknown: UnknownFields | null): unknown {
  const now = partsOf(known);
  if (unknown === null || now === null || (now.length === null) !== (unknown.length === null)) return known;
  const filled = [...now.parts].map(([name, value]): [string, unknown] => {
    // Items that nothing tells apart are the same ones only where none has come or gone.
    const isSame = !name.startsWith(BY_PLACE) || now.length === unknown.length;
    return [name, isSame ? withUnknownFields(value, unknown.within.get(name) ?? null) : value];
  });
  if (now.length !== null) return filled.map(([, value]) => value);
  return Object.fromEntries([...filled, ...unknown.fields.filter(([name]) => now.parts.get(name) === undefined)]);
}

interface Parts {
  readonly parts: ReadonlyMap<string, unknown>;
  readonly length: number | null;
}

/** Before the place of an item that has no name. */
const BY_PLACE = "\0";
/** Fields that tell the items of a list apart. */
const NAMES = ["target", "key", "name", "id"];

function partsOf(value: unknown): Parts | null {
  if (typeof value !== "object" || value === null) return null;
  if (!Array.isArray(value)) return { parts: new Map(Object.entries(value)), length: null };
  const items: readonly unknown[] = value;
  const parts = new Map<string, unknown>();
  for (const [i, item] of items.entries()) {
    const name = nameOf(item);
    parts.set(name === null || parts.has(name) ? `${BY_PLACE}${i}` : name, item);
  }
  return { parts, length: items.length };
}

function nameOf(item: unknown): string | null {
  if (typeof item !== "object" || item === null) return null;
  const fields = new Map<string, unknown>(Object.entries(item));
  const name = NAMES.map((field) => fields.get(field)).find((text) => typeof text === "string");
  return typeof name === "string" ? name : null;
}
