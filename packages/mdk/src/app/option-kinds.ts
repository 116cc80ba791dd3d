import { MdkError } from "../session/mdk-error.ts";

/** Options of an application in JavaScript, which nobody has compared with their types. */
export type Unchecked = Readonly<Record<string, unknown>>;

type IsKind = (value: unknown) => boolean;

const isText: IsKind = (value) => typeof value === "string";
const isObject: IsKind = (value) => typeof value === "object" && value !== null && !Array.isArray(value);
const isListOf =
  (isItem: IsKind): IsKind =>
  (value) =>
    Array.isArray(value) && value.every(isItem);

const TEXTS = ["name", "token", "tokenFile", "environment", "source", "zone", "table"];
const OTHERS: readonly (readonly [name: string, wanted: string, isKind: IsKind])[] = [
  [
    "directories",
    'a list of addresses such as ["//localhost/directory"]',
    isListOf((one) => isText(one) || isListOf(isText)(one)),
  ],
  ["propagate", 'a list of hosts such as ["*.example.com"]', isListOf(() => true)],
  ["breaker", "an object such as { failures: 3 }", isObject],
  ["tls", "an object such as { ca: FILE }", isObject],
];

/**
 * Refuses what is of another kind than the types say; null and undefined leave an option to its default.
 * @throws MdkError `invalid_argument`
 */
export function requireKinds(options: Unchecked): void {
  const given = new Map(Object.entries(options).filter(([, value]) => value != null));
  for (const name of TEXTS) if (given.has(name)) requireKind(name, given.get(name), "text", isText);
  for (const [name, wanted, isKind] of OTHERS) if (given.has(name)) requireKind(name, given.get(name), wanted, isKind);
  const ca: unknown = new Map(Object.entries(Object(given.get("tls")))).get("ca");
  if (ca != null) requireKind("tls.ca", ca, "text", isText);
}

function requireKind(name: string, value: unknown, wanted: string, isKind: IsKind): void {
  if (isKind(value)) return;
  // What a token is, or holds, is not shown.
  const shown = typeof value === "number" || name === "directories" ? JSON.stringify(value) : "a value of another kind";
  throw new MdkError("invalid_argument", `Cannot use ${shown} as ${name}: wanted ${wanted}`);
}
