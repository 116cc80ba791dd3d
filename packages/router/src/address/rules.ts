import { type AddressPattern, comparePatterns, matchPattern } from "@datawire/protocol";
import { isDeadName } from "./scope.ts";

/** What an address is, and so what becomes of its messages. */
export const KINDS = ["queue", "topic", "direct", "service", "link", "none"] as const;

/** One of them. */
export type Kind = (typeof KINDS)[number];

/** What happens at `max_messages` or `max_bytes`. */
export const OVERFLOWS = ["refuse", "reject", "drop-oldest"] as const;

/** One of them. */
export type Overflow = (typeof OVERFLOWS)[number];

/** How the messages of an address are kept; null stands for no bound. */
export interface AddressSettings {
  /** Whether the address is made on first use. */
  readonly create: boolean;
  /** Whether messages are kept on disk, or in memory alone. */
  readonly persist: boolean;
  /** Deliveries that failed, after which a message goes to the dead letters. */
  readonly maxDeliveries: number;
  readonly maxMessages: number | null;
  readonly maxBytes: number | null;
  readonly overflow: Overflow;
  /** How long a `message-id` is remembered. */
  readonly dedupeMs: number | null;
  /** What becomes of a message whose time is over. */
  readonly expired: "drop" | "dead";
  /** How long a topic keeps messages, and how many bytes of them. */
  readonly retention: { readonly ageMs: number | null; readonly bytes: number | null };
}

/** What holds where no rule says anything else. */
export const DEFAULT_SETTINGS: AddressSettings = {
  create: true,
  persist: true,
  maxDeliveries: 10,
  maxMessages: null,
  maxBytes: null,
  overflow: "refuse",
  dedupeMs: null,
  expired: "drop",
  retention: { ageMs: 7 * 86_400_000, bytes: 2 ** 30 },
};

/** Where addresses of kind `link` are. */
export interface LinkRule {
  /** The name of the upstream. */
  readonly upstream: string;
  /** What its address is there: `$1` to `$9` are what the stars of the pattern stand for, `$0` is the whole name. */
  readonly rewrite: string;
}

/** One entry of `addresses` in router.yaml. */
export interface AddressRule {
  readonly match: AddressPattern;
  /** Null leaves it to the capability, and to the name. */
  readonly kind: Kind | null;
  readonly settings: AddressSettings;
  /** Of kind `link`, and of no other. */
  readonly link?: LinkRule;
}

/** An address at an upstream. */
export interface FarAddress {
  readonly upstream: string;
  readonly address: string;
  /** Whether it is at another process of this router. */
  readonly isInner?: boolean;
}

/** What an address is, and how its messages are kept. */
export interface Treatment {
  readonly kind: Kind;
  readonly settings: AddressSettings;
  /** Where it is, of kind `link`; null for all others. */
  readonly far: FarAddress | null;
}

/** The rules of a router, the one that decides first. */
export class AddressRules {
  readonly #rules: readonly AddressRule[];

  constructor(rules: readonly AddressRule[]) {
    this.#rules = rules.toSorted((a, b) => comparePatterns(a.match, b.match));
  }

  /**
   * What a name is.
   * @param capability what the peer asks for, which decides where no rule does.
   * @param known what the directory knows of it, which decides where neither does.
   */
  treat(name: string, capability: "queue" | "topic" | null = null, known: "service" | null = null): Treatment {
    // Dead letters are a queue, whatever their reader takes them for.
    const named = isDeadName(name) ? "queue" : (capability ?? known ?? kindOfName(name));
    for (const { match, kind, settings, link } of this.#rules) {
      const stars = matchPattern(match, name);
      if (stars === null) continue;
      const far = link === undefined ? null : { upstream: link.upstream, address: rewrite(link.rewrite, name, stars) };
      return { kind: kind ?? named, settings, far };
    }
    return { kind: named, settings: DEFAULT_SETTINGS, far: null };
  }
}

function rewrite(text: string, name: string, stars: readonly string[]): string {
  return text.replace(/\$(\d)/g, (_, digit: string) => (digit === "0" ? name : (stars[Number(digit) - 1] ?? "")));
}

function kindOfName(name: string): Kind {
  if (name.startsWith("topic/")) return "topic";
  return name.startsWith("direct/") ? "direct" : "queue";
}
