import type { StallReason } from "@datawire/protocol";
import { type IncomingDelivery, type Receiver, type Session, type Source, WireFailure } from "@datawire/amqp";
import { type Identity, type Message, readMessage } from "../core/message.ts";
import type { MicroserverError } from "../core/microserver-error.ts";
import { toldReason, type Watched } from "../core/stalls.ts";
import { KeptLink } from "./kept-link.ts";
import type { Hub } from "./hub.ts";

/** How a link receives. */
export interface ReceiveOptions {
  /** Null: one of its own, which the router makes. */
  readonly address: string | null;
  readonly name: string;
  /** Whether the router keeps what comes while the link is away. */
  readonly isDurable: boolean;
  /** Where in a topic reading begins. */
  readonly from: string | null;
  /** How many more messages may come now. */
  credit(): number;
  /** Why no more may come; null where they may. */
  waitsFor(): StallReason | null;
  received(delivery: IncomingDelivery, message: Message, identity: Identity | null): void;
}

const MESSAGE_BYTES_MAX = 104_857_600;
/** Nothing comes to most links for most of the time, so they ask the router seldom whether anything should. */
const LOOKS_A_QUESTION = 5;

/** A link from one address. */
export class ReceiveLink extends KeptLink<Receiver> {
  readonly #options: ReceiveOptions;
  #begin: { resolve(): void; reject(error: Error): void } | null = null;
  #hasBegun = false;
  /** Whether nothing has come since the last look, and how many of those found nothing in a row. */
  #isQuiet = true;
  #quietLooks = 0;
  /** The last place in a topic that came: reading goes on behind it. */
  #offset: number | null = null;
  /** Called at each attach with the address that the router gave. */
  onAttached: (address: string) => void = () => {};

  constructor(hub: Hub, options: ReceiveOptions) {
    super(hub, options.address ?? "");
    this.#options = options;
  }

  /** Resolves when the router has given the link, or is found to be out of reach: then it will, later. */
  begin(): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#begin = { resolve, reject };
      this.hub.join(this);
    });
  }

  /** Tells the router how much more may come. */
  refresh(): void {
    if (this.link?.attached === true && !this.isClosed) this.link.setCredit(this.#options.credit());
  }

  /** Lets no more come. */
  pause(): void {
    if (this.link?.attached === true) this.link.setCredit(0);
  }

  close(isOver: boolean): void {
    this.#begin?.resolve();
    this.detach(isOver);
  }

  get credit(): number {
    return this.link?.credit ?? 0;
  }

  get isAttached(): boolean {
    return this.link?.attached ?? false;
  }

  override unreachable(): void {
    this.#begin?.resolve();
  }

  override inquire(): void {
    if (!this.#isQuiet) this.#quietLooks = 0;
    else if (this.#quietLooks++ % LOOKS_A_QUESTION === 0) this.link?.ask();
    this.#isQuiet = true;
  }

  delivered(delivery: IncomingDelivery): void {
    this.#isQuiet = false;
    delivery.receiver.told = null;
    const read = readMessage(delivery.message, this.address);
    if (read instanceof WireFailure) {
      delivery.reject({ condition: read.condition, description: read.message });
      return this.refresh();
    }
    this.#offset = read.message.offset ?? this.#offset;
    this.#options.received(delivery, read.message, read.identity);
  }

  watched(): Watched {
    return { address: this.address, role: "receiver", waitsFor: this.#waitsFor() };
  }

  protected override ask(session: Session): Receiver {
    const { name, isDurable } = this.#options;
    const source: Source =
      this.#options.address === null
        ? { dynamic: true }
        : { address: this.#place(), ...(isDurable && { durable: 2, expiryPolicy: "never" as const }) };
    return session.attachReceiver(name, { source, maxMessageSize: MESSAGE_BYTES_MAX });
  }

  protected override began(link: Receiver): void {
    this.#hasBegun = true;
    link.setCredit(this.#options.credit());
    this.onAttached(link.remote?.source?.address ?? this.address);
    this.#begin?.resolve();
  }

  protected override lost(): void {
    // What was unsettled comes again.
  }

  protected override refused(error: MicroserverError): boolean {
    if (this.#hasBegun) return false;
    this.#begin?.reject(error);
    this.hub.leave(this);
    this.isClosed = true;
    return true;
  }

  #waitsFor(): StallReason | null {
    const { link } = this;
    if (link?.attached !== true) return "waits-for-upstream";
    return this.#options.waitsFor() ?? toldReason(link.told);
  }

  /** The address, with where to read on in a topic that keeps no place for us. */
  #place(): string {
    const { isDurable } = this.#options;
    const from = this.#offset !== null && !isDurable ? String(this.#offset + 1) : this.#options.from;
    if (from === null) return this.address;
    return `${this.address.replace(/\?.*$/, "")}?from=${from}`;
  }
}
