import type { StallReason } from "@datawire/protocol";
import { type AmqpError, type LinkEnd, type OutgoingDelivery, type Sender, type Session, textOf } from "@datawire/amqp";
import { type Entry, Lane } from "../core/lane.ts";
import { headOf, type Identity } from "../core/message.ts";
import { MicroserverError } from "../core/microserver-error.ts";
import { toldReason, type Watched } from "../core/stalls.ts";
import { KeptLink } from "./kept-link.ts";
import type { Hub } from "./hub.ts";

/** How messages get new numbers. */
export interface Renumbering {
  next(): Identity;
  /** Keeps an entry with its new number, and then sets `isStored`. */
  store(entry: Entry, done: () => void): void;
}

/** The link to one address, with what is to be accepted there; the address "" is the relay. */
export class SendLink extends KeptLink<Sender> {
  readonly lane = new Lane();
  readonly #renumbering: Renumbering;
  readonly #router: Hub;
  /** What the instance calls it that the router named; null at the router. */
  #address: string | null = null;
  #isPaused = false;
  #resume: (() => void) | null = null;
  /** Waits between messages that are given back; null where the last one was accepted. */
  #pause: ReturnType<Hub["newBackoff"]> | null = null;

  constructor(hub: Hub, address: string, renumbering: Renumbering) {
    super(hub, address);
    this.#router = hub;
    this.#renumbering = renumbering;
    hub.join(this);
  }

  add(entry: Entry): void {
    this.lane.add(entry);
    if (this.link === null) this.hub.attach(this);
    else this.pump();
  }

  /** Sends what may be sent. */
  pump(): void {
    const { link, lane } = this;
    if (link === null || !link.attached || link.refused) return;
    while (!this.#isPaused) {
      const entry = lane.next();
      if (entry === null || !link.canSend()) return;
      const max = link.remote?.maxMessageSize ?? 0;
      const head = headOf(entry.draft, entry.identity);
      const bytes = head.length + entry.draft.rest.length;
      if (max > 0 && bytes > max) {
        lane.done(entry);
        entry.failed(
          new MicroserverError("limit", `Cannot send ${bytes} bytes to ${entry.to}: the router takes ${max} at most`),
        );
        continue;
      }
      const delivery = link.send(entry.draft.rest, { head });
      if (delivery === null) return;
      delivery.context = entry;
      lane.sent(entry, this.hub.deps.clock.monotonicMs());
    }
  }

  flow(): void {
    this.pump();
    if (this.link?.drain === true && this.lane.next() === null) this.link.drained();
  }

  override ended(end: LinkEnd): void {
    if (this.link === null || this.isClosed) return super.ended(end);
    const place = this.#address === null ? placeOf(end.error, this.address) : null;
    const instance = place === null ? null : this.#router.instanceAt(place);
    if (place === null || instance === null) {
      if (this.#address === null) return super.ended(end);
      // The instance goes: the router knows who else there is.
      this.link = null;
      this.lost();
      return this.#goBack();
    }
    this.link = null;
    this.lost();
    this.#address = place.address;
    this.moveTo(instance, true);
  }

  override unreachable(): void {
    if (this.#address !== null && !this.isClosed) this.#goBack();
  }

  outcome(delivery: OutgoingDelivery): void {
    const entry = delivery.context as Entry | null;
    const { state } = delivery;
    if (entry === null || (state === null && !delivery.settled)) return;
    if (state?.type === "received") return;
    delivery.context = null;
    if (!delivery.settled) delivery.settle();
    switch (state?.type) {
      case "accepted":
        this.#pause = null;
        if (this.lane.done(entry)) entry.accepted();
        return;
      case "rejected": {
        const why = state.error?.description ?? state.error?.condition ?? "without a reason";
        if (this.lane.done(entry))
          entry.failed(new MicroserverError("rejected", `Cannot send to ${entry.to}: it was rejected, ${why}`));
        return;
      }
      default:
        return this.#released(entry);
    }
  }

  watched(): Watched {
    return { address: this.address, role: "sender", waitsFor: this.#waitsFor() };
  }

  override inquire(): void {
    if (this.lane.waiting > 0 && this.link?.credit === 0) this.link.ask();
  }

  get credit(): number {
    return this.link?.credit ?? 0;
  }

  get isAttached(): boolean {
    return this.link?.attached ?? false;
  }

  close(): void {
    this.#resume?.();
    this.detach(true);
  }

  protected override ask(session: Session): Sender {
    const address = this.#address ?? this.address;
    const target = address === "" ? {} : { address };
    return session.attachSender(`send-${this.hub.deps.chance.id()}`, { target });
  }

  protected override began(): void {
    this.pump();
  }

  protected override lost(): void {
    this.lane.lost();
  }

  protected override refused(error: MicroserverError): boolean {
    for (const entry of this.lane.clear()) entry.failed(error);
    // The next message that is sent asks again.
    return true;
  }

  #waitsFor(): StallReason | null {
    if (this.lane.waiting === 0) return null;
    if (this.link === null || !this.link.attached) return "waits-for-upstream";
    if (this.link.credit === 0) return toldReason(this.link.told) ?? "no-credit";
    return this.#isPaused ? "no-consumer" : "window";
  }

  #goBack(): void {
    this.#address = null;
    this.moveTo(this.#router, false);
  }

  /** The address gives it back: tried again, after a while. */
  #released(entry: Entry): void {
    entry.isStored = entry.isAlone;
    this.lane.released(entry, () => this.#renumbering.next());
    this.#pauseSending();
    if (!entry.isAlone) this.#renumbering.store(entry, () => this.pump());
  }

  #pauseSending(): void {
    if (this.#isPaused) return;
    this.#isPaused = true;
    const { delayMs, backoff } = (this.#pause ?? this.hub.newBackoff()).next();
    this.#pause = backoff;
    this.#resume = this.hub.deps.clock.setTimer(delayMs, () => {
      this.#isPaused = false;
      this.pump();
    });
  }
}

/** Where the router sends us instead (AMQP 1.0, part 3.5.9); null where it does not. */
function placeOf(error: AmqpError | null, address: string) {
  if (error?.condition !== "amqp:link:redirect") return null;
  const host = textOf(error.info?.get("network-host"));
  const port = Number(error.info?.get("port"));
  if (host === null || !Number.isInteger(port) || port < 1 || port > 65_535) return null;
  const isTls = textOf(error.info?.get("scheme")) === "amqps";
  return { host, port, isTls, address: textOf(error.info?.get("address")) ?? address };
}
