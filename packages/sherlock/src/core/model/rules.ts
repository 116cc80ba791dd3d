import { countSlots, formatPercent } from "@datawire/protocol";
import type { Rule, Share } from "@datawire/routing";
import { headerText, hexKey } from "./escape.ts";

/** One `--when` rule as the maps have it. */
export type RuleLine =
  | { readonly kind: "path"; readonly prefix: string; readonly node: string; readonly told: string }
  | {
      readonly kind: "value";
      /** `h:name=HEX`, `c:name=HEX` or `q:name=HEX`. */
      readonly key: string;
      readonly letter: "h" | "c" | "q";
      readonly name: string;
      /** The lowest of all that match holds. */
      readonly age: number;
      readonly node: string;
      /** What the answer to a request that asks why it goes there says: `TARGET|RULE`. */
      readonly told: string;
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
    const told = reasonOfRule(rule);
    if (when.kind === "path") lines.set(id, { kind: "path", prefix: when.prefix, node, told });
    else {
      const letter = LETTERS[when.kind];
      lines.set(id, { kind: "value", key: id, letter, name: when.name, age: rule.order, node, told });
    }
  }
  return [...lines.values()];
}

/** Why requests meet a condition's target: `TARGET|RULE`, as the maps and then headers have it. */
function reasonOfRule({ when, target, reason }: Pick<Rule, "when" | "target" | "reason">): string {
  const condition = when.kind === "path" ? `path:${when.prefix}` : `${when.kind}:${when.name}=${when.value}`;
  const because = reason.startsWith("--when ") ? "" : `, ${reason}`;
  return `${headerText(target)}|${headerText(`when ${condition}${because}`)}`;
}

/** The same of shares, by the node that each is led to: that of one may be that of another. */
export function reasonsOfShares(
  shares: readonly Pick<Share, "target" | "slots" | "reason">[],
  parts: readonly { readonly node: string }[],
): Map<string, string> {
  const reasons = new Map<string, string>();
  const byNode = Map.groupBy(shares.keys(), (i) => parts[i]?.node ?? "");
  for (const [node, members] of byNode) {
    const all = members.map((i) => shares[i] as (typeof shares)[number]);
    const targets = [...new Set(all.map(({ target }) => target))].join(" or ");
    const rules = all.map(({ slots, reason }) => `${formatPercent(countSlots(slots))}, ${reason}`).join("; ");
    reasons.set(node, `${headerText(targets)}|${headerText(rules)}`);
  }
  return reasons;
}
