/** What one place has to give: a queue, or one subscription of a topic. */
interface Place {
  readonly delivered: Map<string, number>;
  readonly confirmed: Set<string>;
  /** By producer: the last number of its messages that came for the first time. */
  readonly last: Map<string, number>;
  lastOffset: number;
}

/**
 * What must be true of messages, counted at both ends by those who send and receive, and told of nothing else. Bodies are
 * `PRODUCER:NUMBER` with anything behind a blank.
 */
export class Ledger {
  readonly #sent = new Map<string, string>();
  readonly #accepted = new Map<string, string>();
  readonly #places = new Map<string, Place>();
  /** The places where messages of an address end up. */
  readonly #of = new Map<string, string[]>();
  readonly #dead = new Set<string>();

  /** Says where the messages of an address have to arrive. */
  expect(address: string, places: readonly string[]): void {
    this.#of.set(address, [...places]);
  }

  sent(address: string, body: string): void {
    this.#sent.set(body, address);
  }

  accepted(address: string, body: string): void {
    this.#accepted.set(body, address);
  }

  /** @param isAlone whether nobody else takes from there, so that what comes for the first time comes in order. */
  delivered(
    place: string,
    { address, body, offset, isAlone }: { address: string; body: string; offset: number | null; isAlone: boolean },
  ): void {
    if (this.#sent.get(body) !== address) throw new Error(`${place} got ${body}, which nobody sent to ${address}`);
    const known = this.#place(place);
    if (known.confirmed.has(body)) throw new Error(`${place} got ${body} again, after its settlement was confirmed`);
    const before = known.delivered.get(body) ?? 0;
    known.delivered.set(body, before + 1);
    if (before > 0 || !isAlone) return;
    const { producer, number } = readBody(body);
    const last = known.last.get(producer) ?? -1;
    if (number <= last) throw new Error(`${place} got ${body} for the first time after ${producer}:${last}`);
    known.last.set(producer, number);
    if (offset === null) return;
    if (offset <= known.lastOffset) throw new Error(`${place} got ${body} at ${offset}, after ${known.lastOffset}`);
    known.lastOffset = offset;
  }

  confirmed(place: string, body: string): void {
    this.#place(place).confirmed.add(body);
  }

  died(body: string): void {
    this.#dead.add(body);
  }

  /** What was accepted and has not arrived. */
  missing(): string[] {
    const missing: string[] = [];
    for (const [body, address] of this.#accepted) {
      for (const place of this.#of.get(address) ?? []) {
        if (!this.#place(place).delivered.has(body) && !this.#dead.has(body)) missing.push(`${body} at ${place}`);
      }
    }
    return missing;
  }

  /** What was counted, for comparing two runs. */
  get counts(): {
    readonly sent: number;
    readonly accepted: number;
    readonly delivered: number;
    readonly confirmed: number;
  } {
    const places = [...this.#places.values()];
    return {
      sent: this.#sent.size,
      accepted: this.#accepted.size,
      delivered: places.reduce((sum, { delivered }) => sum + [...delivered.values()].reduce((a, b) => a + b, 0), 0),
      confirmed: places.reduce((sum, { confirmed }) => sum + confirmed.size, 0),
    };
  }

  #place(name: string): Place {
    const known = this.#places.get(name);
    if (known !== undefined) return known;
    const place: Place = { delivered: new Map(), confirmed: new Set(), last: new Map(), lastOffset: -1 };
    this.#places.set(name, place);
    return place;
  }
}

function readBody(body: string): { readonly producer: string; readonly number: number } {
  const [producer = "", number = ""] = body.split(" ", 1)[0]?.split(":") ?? [];
  return { producer, number: Number(number) };
}
