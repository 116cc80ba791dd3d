import type { Rule } from "@datawire/routing";
import { hexKey } from "./escape.ts";

/** One `--when` rule as the maps have it. */
export type RuleLine =
  | { readonly kind: "path"; readonly prefix: string; readonly node: string }
  | {
      readonly kind: "value";
      /** `h:name=HEX`, `c:name=HEX` or `q:name=HEX`. */
      readonly key: string;
      readonly letter: "h" | "c" | "q";
      readonly name: string;
      /** The lowest of all that match holds. */
      readonly age: number;
      readonly node: string;
    };

/** How the kinds of conditions are told apart in the maps. */
export const LETTERS = { header: "h", cookie: "c", query: "q" } as const;

/** The rules of a service in the order in which they are tried; of two with one condition the first holds. */
export function ruleLines(rules: readonly Rule[], nodeOf: (rule: Rule) => string): RuleLine[] {
  const lines = new Map<string, RuleLine>();
  for (const rule of rules) {
    const { when } = rule;
    const id = when.kind === "path" ? when.prefix : `${LETTERS[when.kind]}:${when.name}=${hexKey(when.value)}`;
    if (lines.has(id)) continue;
    const node = nodeOf(rule);
    if (when.kind === "path") lines.set(id, { kind: "path", prefix: when.prefix, node });
    else {
      const letter = LETTERS[when.kind];
      lines.set(id, { kind: "value", key: id, letter, name: when.name, age: rule.order, node });
    }
  }
  return [...lines.values()];
}
