import { parseDuration, DURATION_RULE, quoteShort } from "@datawire/protocol";
import { OVERFLOWS } from "../address/rules.ts";
import type { OwnSettings } from "../engine/notes/own-settings.ts";
import { Refused } from "../engine/refused.ts";
import { parseByteSize } from "./byte-size.ts";

/** How a setting of one address is read. */
interface Reading {
  /** Null for no bound, where there may be none. */
  readonly read: (text: string) => OwnSettings;
  readonly wanted: string;
  readonly kinds: readonly ("queue" | "topic")[];
}

const BOTH = ["queue", "topic"] as const;
const QUEUE = ["queue"] as const;
const TOPIC = ["topic"] as const;
const COUNT = "a number, 1 or more";
const SIZE = "a size such as 64KiB, 10MiB or 1GB";

const READINGS: ReadonlyMap<string, Reading> = new Map<string, Reading>([
  ["max_deliveries", { read: (text) => ({ maxDeliveries: count(text) }), wanted: COUNT, kinds: BOTH }],
  [
    "max_messages",
    { read: (text) => ({ maxMessages: orNone(count)(text) }), wanted: `${COUNT}, or none`, kinds: QUEUE },
  ],
  ["max_bytes", { read: (text) => ({ maxBytes: orNone(size)(text) }), wanted: `${SIZE}, or none`, kinds: QUEUE }],
  ["overflow", { read: (text) => ({ overflow: oneOf(OVERFLOWS)(text) }), wanted: OVERFLOWS.join(", "), kinds: BOTH }],
  [
    "dedupe",
    { read: (text) => ({ dedupeMs: orNone(duration)(text) }), wanted: `${DURATION_RULE}, or none`, kinds: BOTH },
  ],
  [
    "expired",
    { read: (text) => ({ expired: oneOf(["drop", "dead"] as const)(text) }), wanted: "drop or dead", kinds: BOTH },
  ],
  [
    "retention.age",
    {
      read: (text) => ({ retention: { ageMs: orNone(duration)(text) } }),
      wanted: `${DURATION_RULE}, or none`,
      kinds: TOPIC,
    },
  ],
  [
    "retention.bytes",
    { read: (text) => ({ retention: { bytes: orNone(size)(text) } }), wanted: `${SIZE}, or none`, kinds: TOPIC },
  ],
]);

/** Takes what was said of a setting back: the rules hold again. */
const DEFAULT = "default";

/**
 * Reads what is to hold for one address, given as text by the keys of router.yaml.
 * @param before what was said of it until now.
 * @throws Refused that names the key, the value and what was wanted.
 */
export function readOwnSettings(
  said: ReadonlyMap<string, string>,
  kind: "queue" | "topic",
  before: OwnSettings = {},
): OwnSettings {
  let own = before;
  for (const [key, text] of said) {
    const reading = READINGS.get(key);
    if (reading === undefined || !reading.kinds.includes(kind)) {
      const keys = [...READINGS].flatMap(([one, { kinds }]) => (kinds.includes(kind) ? one : []));
      throw new Refused("amqp:invalid-field", `Cannot set ${quoteShort(key)} of a ${kind}: wanted ${keys.join(", ")}`);
    }
    own = text === DEFAULT ? without(own, key) : merged(own, reading, key, text);
  }
  return own;
}

function merged(own: OwnSettings, { read, wanted }: Reading, key: string, text: string): OwnSettings {
  try {
    const { retention, ...rest } = read(text);
    return { ...own, ...rest, ...(retention !== undefined && { retention: { ...own.retention, ...retention } }) };
  } catch {
    throw new Refused(
      "amqp:invalid-field",
      `Cannot use ${quoteShort(text)} as ${key}: wanted ${wanted}, or ${DEFAULT}`,
    );
  }
}

function without(own: OwnSettings, key: string): OwnSettings {
  const fields = new Map<string, unknown>(Object.entries(own));
  const part = new Map<string, unknown>(Object.entries(own.retention ?? {}));
  part.delete(key === "retention.age" ? "ageMs" : key === "retention.bytes" ? "bytes" : "");
  fields.set("retention", Object.fromEntries(part));
  fields.delete(FIELDS.get(key) ?? "");
  if (part.size === 0) fields.delete("retention");
  return Object.fromEntries(fields);
}

const FIELDS: ReadonlyMap<string, keyof OwnSettings> = new Map([
  ["max_deliveries", "maxDeliveries"],
  ["max_messages", "maxMessages"],
  ["max_bytes", "maxBytes"],
  ["overflow", "overflow"],
  ["dedupe", "dedupeMs"],
  ["expired", "expired"],
]);

const orNone =
  (read: (text: string) => number) =>
  (text: string): number | null =>
    text === "none" || text === "forever" ? null : read(text);

function count(text: string): number {
  if (!/^[1-9]\d{0,14}$/.test(text)) throw new Error("it is no count");
  return Number(text);
}

function size(text: string): number {
  const bytes = parseByteSize(text);
  if (bytes < 1) throw new Error("it is nothing");
  return bytes;
}

function duration(text: string): number {
  const ms = parseDuration(text);
  if (ms < 1) throw new Error("it is nothing");
  return ms;
}

const oneOf =
  <T extends string>(words: readonly T[]) =>
  (text: string): T => {
    const word = words.find((one) => one === text);
    if (word === undefined) throw new Error("it is none of them");
    return word;
  };
