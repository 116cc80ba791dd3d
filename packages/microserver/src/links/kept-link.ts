import type { LinkEnd, Receiver, Sender, Session } from "@datawire/amqp";
import type { Watched } from "../core/stalls.ts";
import { type ErrorCode, MicroserverError, refusalCode } from "../core/microserver-error.ts";
import type { Hub, Member } from "./hub.ts";

/** A link that is asked for again whenever it is lost, until it is closed. */
export abstract class KeptLink<L extends Sender | Receiver> implements Member {
  readonly address: string;
  protected hub: Hub;
  protected link: L | null = null;
  protected isClosed = false;
  #wait: ReturnType<Hub["newBackoff"]>;
  #cancel: (() => void) | null = null;

  constructor(hub: Hub, address: string) {
    this.hub = hub;
    this.address = address;
    this.#wait = hub.newBackoff();
  }

  abstract watched(): Watched;
  /** Asks for the link. */
  protected abstract ask(session: Session): L;
  /** Messages may pass. */
  protected abstract began(link: L): void;
  /** The link is no more. */
  protected abstract lost(): void;
  /** The router does not give it; false to ask again all the same. */
  protected abstract refused(error: MicroserverError): boolean;

  inquire(): void {
    // What waits for no messages has nothing to ask.
  }

  unreachable(): void {
    // Whoever waits for the link goes on to wait.
  }

  attach(session: Session): void {
    if (this.link !== null || this.isClosed) return;
    this.#cancel?.();
    this.#cancel = null;
    this.link = this.ask(session);
    this.link.context = this;
  }

  attached(): void {
    const { link } = this;
    // What refuses a link is an attach with nothing in it; the detach behind it says why.
    if (link === null || link.refused) return;
    this.#wait = this.hub.newBackoff();
    this.began(link);
  }

  ended({ error }: LinkEnd): void {
    if (this.link === null) return;
    this.link = null;
    this.lost();
    if (this.isClosed) return;
    const code: ErrorCode | null = refusalCode(error?.condition ?? null);
    if (code !== null) {
      const why = error?.description ?? error?.condition ?? "";
      if (this.refused(new MicroserverError(code, `Cannot use ${this.address}: ${why}`))) return;
    }
    this.#later(() => this.hub.attach(this));
  }

  /** Goes on at another connection, at once or after a while. */
  protected moveTo(hub: Hub, isAtOnce: boolean): void {
    this.#cancel?.();
    const left = this.hub;
    this.hub = hub;
    left.leave(this);
    if (isAtOnce) hub.join(this);
    else this.#later(() => hub.join(this));
  }

  #later(action: () => void): void {
    const { delayMs, backoff } = this.#wait.next();
    this.#wait = backoff;
    this.#cancel?.();
    this.#cancel = this.hub.deps.clock.setTimer(delayMs, action);
  }

  /** Lets go of the link. @param isOver false: what the router keeps for it is kept. */
  protected detach(isOver: boolean): void {
    if (this.isClosed) return;
    this.isClosed = true;
    this.#cancel?.();
    this.link?.detach({ closed: isOver });
    this.hub.leave(this);
  }
}
