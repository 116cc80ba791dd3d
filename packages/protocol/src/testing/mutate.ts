import type { Chance } from "./chance.ts";

/** What has broken something somewhere: words that every object knows, bounds, and what means something to a proxy. */
const VALUES: readonly unknown[] = [
  null,
  true,
  false,
  0,
  -0,
  -1,
  1,
  0.5,
  9_999,
  10_000,
  10_001,
  65_535,
  65_536,
  2 ** 31 - 1,
  2 ** 31,
  2 ** 32,
  Number.MAX_SAFE_INTEGER,
  2 ** 53,
  1e300,
  -1e300,
  8.64e15,
  8.64e15 + 1,
  "",
  " ",
  "*",
  "constructor",
  "__proto__",
  "toString",
  "hasOwnProperty",
  "valueOf",
  "prototype",
  "garbage",
  "a\nb",
  "a\r\n server evil 127.0.0.1:1",
  "\u0000",
  "\u0007\u001b[2J\u009b",
  "\u202e\u2028\ufeff",
  "\ud800",
  "é",
  "%00%0d%0a",
  "../../escaped",
  "//barker",
  "//barker(2)",
  "//barker:2",
  "//barker@vm1",
  "//__proto__(1)",
  "//constructor@valueOf",
  "//a@b\n server evil",
  "//[::1]:5430/directory",
  "http://127.0.0.1:1/base",
  "http://[0:0:0:0:0:0:0:1]:99999",
  "https://user:word@host/../x?y#z",
  "tcp://h:0",
  "file:///etc/passwd",
  "header:__proto__=1",
  "cookie:a b=c",
  "query:=",
  "path:",
  "path:/a b",
  "consistent:header:constructor",
  "cookie:",
  "ip",
  "${HOME}",
  "${constructor}",
  "`id`",
  "; rm -rf /",
  "x".repeat(300),
  "x".repeat(5_000),
  [],
  [[]],
  [[9, 1]],
  [null],
  {},
  { __proto__: null },
  { type: "constructor" },
];

const KEYS = ["constructor", "__proto__", "toString", "type", "name", "", "0", "length", "then", "toJSON"] as const;

/** The places of a value at which something can be changed: each an object or a list, and a key of it. */
type Place = readonly [holder: Record<string, unknown> | unknown[], key: string | number];

/** Some things more or less than what is there, at one to three places. */
export function mutateValue(value: unknown, chance: Chance): unknown {
  const holder = { root: structuredClone(value) };
  const times = 1 + chance.int(3);
  for (let i = 0; i < times; i++) {
    const places = placesOf(holder);
    if (places.length === 0) break; // nothing is left
    change(chance.pick(places), places, chance);
  }
  return holder.root;
}

/** The JSON of a value that was changed; now and then the text was too. */
export function mutateJson(value: unknown, chance: Chance): string {
  const changed = chance.once(8) ? value : mutateValue(value, chance);
  const text = JSON.stringify(changed) ?? "null";
  return chance.once(5) ? mutateText(text, chance) : text;
}

/** A text in which letters are others, missing, or there twice. */
export function mutateText(text: string, chance: Chance): string {
  let changed = text;
  const times = 1 + chance.int(4);
  for (let i = 0; i < times; i++) changed = changeText(changed, chance);
  return changed;
}

function placesOf(root: Record<string, unknown> | unknown[]): Place[] {
  const places: Place[] = [];
  const walk = (holder: Record<string, unknown> | unknown[]): void => {
    for (const [key, inner] of Object.entries(holder)) {
      places.push([holder, Array.isArray(holder) ? Number(key) : key]);
      if (typeof inner === "object" && inner !== null) walk(inner as Record<string, unknown>);
    }
  };
  walk(root);
  return places;
}

function change([holder, key]: Place, places: readonly Place[], chance: Chance): void {
  switch (chance.int(9)) {
    case 0:
      return remove(holder, key);
    case 1:
      return put(holder, chance.pick(KEYS), valueBy(chance));
    case 2: {
      const [other, otherKey] = chance.pick(places);
      return put(holder, key, structuredClone(get(other, otherKey)));
    }
    case 3:
      return put(holder, key, [get(holder, key), structuredClone(get(holder, key))]);
    case 4:
      return put(holder, key, { [chance.pick(KEYS)]: get(holder, key) });
    case 5: {
      const value = get(holder, key);
      if (typeof value === "string") return put(holder, key, changeText(value, chance));
      if (typeof value === "number") return put(holder, key, value + chance.pick([-1, 1, 0.1, -value, value, 1e9]));
      return put(holder, key, valueBy(chance));
    }
    case 6:
      if (Array.isArray(holder)) return void holder.push(...structuredClone(holder.slice(0, 50)));
      return put(holder, key, valueBy(chance));
    default:
      return put(holder, key, valueBy(chance));
  }
}

/** One of the values, which are for all changes: what is put somewhere may be changed there. */
const valueBy = (chance: Chance): unknown => structuredClone(chance.pick(VALUES));

function get(holder: Record<string, unknown> | unknown[], key: string | number): unknown {
  return Object.getOwnPropertyDescriptor(holder, key)?.value;
}

/** Also `__proto__` becomes a key of its own, as in text that was read. */
function put(holder: Record<string, unknown> | unknown[], key: string | number, value: unknown): void {
  if (Array.isArray(holder) && typeof key === "string") return void holder.push(value);
  Object.defineProperty(holder, key, { value, enumerable: true, configurable: true, writable: true });
}

function remove(holder: Record<string, unknown> | unknown[], key: string | number): void {
  if (Array.isArray(holder)) holder.splice(Number(key), 1);
  else Reflect.deleteProperty(holder, key);
}

const wordOf = (value: unknown): string => (typeof value === "string" ? value : JSON.stringify(value));

const PIECES = [
  "{",
  "}",
  "[",
  "]",
  ",",
  ":",
  '"',
  "\\",
  "\\u0000",
  "\n",
  "\r\n",
  "\u0000",
  " ",
  "-",
  "e9",
  "\ufffd",
  "ÿ",
];

function changeText(text: string, chance: Chance): string {
  const at = chance.int(text.length + 1);
  const length = 1 + chance.int(8);
  const [before, after] = [text.slice(0, at), text.slice(at)];
  switch (chance.int(7)) {
    case 0:
      return before + after.slice(length);
    case 1:
      return before;
    case 2:
      return before + chance.pick(PIECES) + after;
    case 3:
      return before + String.fromCharCode(chance.int(0x250)) + after.slice(1);
    case 4:
      return before + text.slice(chance.int(text.length + 1)).slice(0, 200) + after;
    case 5:
      return before + wordOf(chance.pick(VALUES)) + after;
    default:
      return before + before.slice(-length) + after;
  }
}
