import type { From } from "../../address/from.ts";
import type { Delivery, Outcome } from "../../queue/delivery.ts";
import type { Broker } from "../broker.ts";
import type { Sink, SinkPort, Source, SourcePort, Verdict } from "../ports.ts";

/** A sender that counts on nothing but what it was told. */
export class TestSender implements SinkPort<string> {
  credit = 0;
  goneFor: string | null = null;
  readonly safe: string[] = [];
  readonly outcomes: (readonly [text: string, outcome: Outcome])[] = [];
  readonly declines: (readonly [text: string, verdict: Verdict])[] = [];
  readonly sink: Sink<string>;

  constructor(broker: Broker, name: string, capability: "queue" | "topic" | null = null) {
    this.sink = broker.openSink(name, capability, this);
  }

  setCredit(credit: number): void {
    this.credit = credit;
  }

  accepted(tokens: readonly string[]): void {
    this.safe.push(...tokens);
  }

  declined(token: string, verdict: Verdict): void {
    this.declines.push([token, verdict]);
  }

  settled(token: string, outcome: Outcome): void {
    this.outcomes.push([token, outcome]);
  }

  gone(condition: string): void {
    this.goneFor = condition;
  }

  /** Sends a message, which uses up credit. */
  send(
    text: string,
    more: { ttlMs?: number; producer?: { name: string; sequence: number }; id?: string } = {},
  ): Verdict {
    if (this.credit <= 0) throw new Error("no credit");
    this.credit--;
    const { ttlMs = 0, producer, id } = more;
    const keys = producer === undefined && id === undefined ? null : { producer, id };
    const verdict = this.sink.offer({ payload: Buffer.from(text), ttlMs, keys }, text);
    this.sink.refresh();
    return verdict;
  }
}

/** A consumer that says what became of each message, or keeps it. */
export class TestReceiver implements SourcePort {
  credit: number;
  readonly got: Delivery[] = [];
  readonly confirmed: number[] = [];
  exhaustions = 0;
  goneFor: string | null = null;
  readonly filter: SourcePort["filter"];
  readonly source: Source;

  constructor(
    broker: Broker,
    name: string,
    {
      credit = 1_000,
      filter = null,
      from = null,
      subscription = null,
      selector = null,
      capability = null,
      isCopy = false,
    }: {
      credit?: number;
      filter?: SourcePort["filter"];
      from?: From | null;
      subscription?: string | null;
      selector?: string | null;
      capability?: "queue" | "topic" | null;
      isCopy?: boolean;
    } = {},
  ) {
    this.credit = credit;
    this.filter = filter;
    this.source = broker.openSource({ name, capability, from, subscription, selector, isCopy }, this);
    this.source.pump();
  }

  wants(): boolean {
    return this.credit > 0;
  }

  deliver(delivery: Delivery): void {
    if (this.credit <= 0) throw new Error("credit exceeded");
    this.credit--;
    // As a link does: the payload may be written over after this call.
    const payload = Uint8Array.from(delivery.record.payload);
    this.got.push({ ...delivery, record: { ...delivery.record, payload } });
  }

  exhausted(): void {
    this.exhaustions++;
  }

  gone(condition: string): void {
    this.goneFor = condition;
  }

  stolen(): void {
    this.goneFor = "stolen";
    this.source.detach(false);
  }

  get texts(): string[] {
    return this.got.map(textOf);
  }

  settle(delivery: Delivery, outcome: Outcome = { outcome: "accepted" }): void {
    this.source.settle(delivery.sequence, outcome, () => void this.confirmed.push(delivery.sequence));
  }

  allow(credit: number): void {
    this.credit = credit;
    this.source.pump();
  }
}

/** What a delivery carries, as text. */
export const textOf = ({ record }: Delivery): string => Buffer.from(record.payload).toString();

/** Turns of the event loop until what can happen without time has. */
export async function settled(turns = 12): Promise<void> {
  for (let turn = 0; turn < turns; turn++) await new Promise((resolve) => setImmediate(resolve));
}
