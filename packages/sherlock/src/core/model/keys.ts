import { parseWhen, type RouteTable } from "@datawire/protocol";
import type { ServiceKeys } from "./plan.ts";
import { LETTERS, type RuleLine } from "./rules.ts";

/** A condition's letter and the name that it looks at. */
type Looked = Pick<Extract<RuleLine, { readonly kind: "value" }>, "letter" | "name">;

interface Rest {
  /** As the maps have it. */
  readonly sticky: string | null;
  readonly sessionCookies: readonly string[];
}

/** What has names in `ServiceKeys`. */
export type NamedKey = Exclude<keyof ServiceKeys, "stickyIp">;

/** All that has names in `ServiceKeys`. */
export const NAMED_KEYS = [
  "whenHeaders",
  "whenCookies",
  "whenQueries",
  "stickyHeaders",
  "stickyCookies",
  "sessionCookies",
] as const satisfies readonly NamedKey[];

/** What a service looks at without routes, which most have none of: one object for all of them, in each plan. */
const NO_KEYS = namedKeys(() => [], false);

/** What the routes of a service look at in requests, whether or not their targets have live instances. */
export function keysOfRoutes(table: RouteTable | null, rest: Rest): ServiceKeys {
  const looked = (table?.routes ?? []).flatMap((route): Looked[] => {
    const when = route.when === null ? null : parseWhen(route.when);
    return when === null || when.kind === "path" ? [] : [{ letter: LETTERS[when.kind], name: when.name }];
  });
  return keysOf(looked, rest);
}

/** What the requests to a service are looked at for as its rules are now. */
export function keysOfRules(rules: readonly RuleLine[], rest: Rest): ServiceKeys {
  return keysOf(
    rules.filter((rule) => rule.kind === "value"),
    rest,
  );
}

/** All that any of them looks at. */
export function joinKeys(all: readonly ServiceKeys[]): ServiceKeys {
  if (all.every((keys) => keys === NO_KEYS)) return NO_KEYS;
  return namedKeys(
    (kind) => all.flatMap((keys) => keys[kind]),
    all.some(({ stickyIp }) => stickyIp),
  );
}

/** What is looked at by the names of each kind, which may come in any order and more than once. */
export function namedKeys(names: (kind: NamedKey) => readonly string[], stickyIp: boolean): ServiceKeys {
  const each = NAMED_KEYS.map((kind) => [kind, sorted(names(kind))] as const);
  return { ...(Object.fromEntries(each) as Record<NamedKey, string[]>), stickyIp };
}

/** One of the keys that are wanted and not there; null for none. */
export function missingKey(have: ServiceKeys, wanted: ServiceKeys): string | null {
  for (const kind of NAMED_KEYS) {
    const missing = wanted[kind].find((name) => !have[kind].includes(name));
    if (missing !== undefined) return missing;
  }
  return wanted.stickyIp && !have.stickyIp ? "stickyIp" : null;
}

function keysOf(looked: readonly Looked[], { sticky, sessionCookies }: Rest): ServiceKeys {
  if (looked.length === 0 && sticky === null && sessionCookies.length === 0) return NO_KEYS;
  const whens = (letter: Looked["letter"]): string[] =>
    sorted(looked.flatMap((one) => (one.letter === letter ? [one.name] : [])));
  const stickies = (letter: "h:" | "c:"): string[] =>
    sticky?.startsWith(letter) === true ? [sticky.slice(letter.length)] : [];
  return {
    whenHeaders: whens("h"),
    whenCookies: whens("c"),
    whenQueries: whens("q"),
    stickyHeaders: stickies("h:"),
    stickyCookies: stickies("c:"),
    sessionCookies: sorted(sessionCookies),
    stickyIp: sticky === "ip",
  };
}

function sorted(names: readonly string[]): string[] {
  return [...new Set(names)].sort();
}
