import type { Link } from "../link/link.ts";

/** The links of a session that wait until transfers may be written again, in turn. */
export class OpeningQueue {
  #links: Link[] = [];

  add(link: Link): void {
    if (link.openingAwaited) return;
    link.openingAwaited = true;
    this.#links.push(link);
  }

  /** Tells each that it may write, as long as `open` says so; those whose turn did not come are the first of the next time. */
  reopen(open: () => boolean): void {
    if (this.#links.length === 0) return;
    const links = this.#links;
    this.#links = [];
    let served = 0;
    for (; served < links.length && open(); served++) {
      const link = links[served] as Link;
      link.openingAwaited = false;
      if (link.attached) link.reopened();
    }
    if (served < links.length) this.#links = [...links.slice(served), ...this.#links];
  }

  clear(): void {
    this.#links = [];
  }
}
