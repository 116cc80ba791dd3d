import type { Link } from "../link/link.ts";
import { CONDITION, WireFailure } from "../types/conditions.ts";

/** The links of a connection by direction and name, of which each may be attached once, in whatever session. */
export class LinkNames {
  readonly #max: number;
  /** What the bound is called, in parentheses; empty for nothing. */
  readonly #name: string;
  readonly #links = new Map<string, Link>();

  constructor(max: number, name = "") {
    this.#max = max;
    this.#name = name;
  }

  /** Takes in a link, and detaches the one that had its name. Throws `WireFailure` where there are too many. */
  add(link: Link): void {
    const key = keyOf(link);
    this.#links.get(key)?.detach({
      closed: false,
      error: { condition: CONDITION.stolen, description: "Cannot keep the link: its name was attached again" },
    });
    if (this.#links.size >= this.#max) {
      const why = `Cannot attach: the connection has ${this.#max} links${this.#name}`;
      throw new WireFailure(CONDITION.resourceLimitExceeded, why);
    }
    this.#links.set(key, link);
  }

  delete(link: Link): void {
    const key = keyOf(link);
    if (this.#links.get(key) === link) this.#links.delete(key);
  }
}

function keyOf(link: Link): string {
  return `${link.isReceiver ? "in" : "out"} ${link.name}`;
}
