import type { AmqpError } from "../frames/error.ts";
import type { Attach, Detach } from "../frames/performatives.ts";
import type { AttachOptions, Link, LinkEnd, LinkHost } from "../link/link.ts";
import { Receiver } from "../link/receiver.ts";
import { Sender } from "../link/sender.ts";
import { CONDITION, WireFailure } from "../types/conditions.ts";
import type { LinkEvents } from "./link-events.ts";
import { LinkTable } from "./link-table.ts";
import type { SessionFrames } from "./session-frames.ts";

/** What the links of a session ask of the session and of its connection. */
export interface LinksHost extends LinkHost {
  readonly events: LinkEvents;
  readonly frames: SessionFrames;
  /** Whether frames of links may be written. */
  readonly mapped: boolean;
  /** Whether the peer may still begin the session. */
  readonly beginning: boolean;
  /** The highest handle that the peer takes. */
  readonly theirHandleMax: number;
  /**
   * Takes in a link that attaches, and detaches the one that had its name and direction until now. Throws `WireFailure`
   * when there are too many.
   */
  linkCame(link: Link): void;
  linkWent(link: Link): void;
  /** Writes what is gathered of deliveries, which has to be heard before their link ends. */
  settle(): void;
}

/** The links of a session: how they are asked for, answered and let go of. */
export class SessionLinks {
  readonly #host: LinksHost;
  readonly #table: LinkTable;

  /** `handleMax` is the highest handle that the peer may use. */
  constructor(host: LinksHost, handleMax: number) {
    this.#host = host;
    this.#table = new LinkTable(handleMax);
  }

  /** All links whose handles are in use. */
  get all(): readonly (Sender | Receiver)[] {
    return this.#table.all;
  }

  /** The link of a handle of the peer. Throws `WireFailure` where there is none. */
  at(handle: number): Sender | Receiver {
    return this.#table.at(handle);
  }

  /** Asks the peer for a link on which we send. Throws `WireFailure` where there are too many. */
  askSender(name: string, options: AttachOptions): Sender {
    return this.#ask(new Sender(this.#host, this.#host.events, name, this.#freeHandle(), "asking"), options);
  }

  /** Asks the peer for a link on which we receive, likewise. */
  askReceiver(name: string, options: AttachOptions): Receiver {
    return this.#ask(new Receiver(this.#host, this.#host.events, name, this.#freeHandle(), "asking"), options);
  }

  /** Writes the attaches of all links that were asked for before the peer had begun the session. */
  begun(): void {
    for (const { local } of this.all) if (local !== null) this.#host.frames.attach(local);
  }

  /** Takes in an attach of the peer: an answer, or a link that it asks for. Throws `WireFailure`. */
  attachCame(attach: Attach): void {
    this.#table.requireFree(attach.handle);
    if (!attach.role && attach.initialDeliveryCount === undefined) {
      throw new WireFailure(CONDITION.invalidField, "Cannot attach: a sender has to give its initial delivery count");
    }
    const own = this.#table.unanswered(attach.name, !attach.role);
    if (own === undefined) return this.#asked(attach);
    this.#table.bind(attach.handle, own);
    if (own.state === "asking") {
      own.answered(attach);
      this.#host.events.linkAttached(own);
    } else own.remote = attach;
  }

  /** Takes in a detach of the peer, and answers it where it is no answer itself. Throws `WireFailure`. */
  detachCame({ handle, closed = false, error }: Detach): void {
    const link = this.#table.at(handle);
    this.#table.unbind(handle);
    if (link.state !== "detaching") {
      const unanswered = link.state === "asked";
      link.state = "detached";
      this.#gone(link, { closed, error: error ?? null });
      if (unanswered) link.say({});
      // Whoever was told may have ended the session.
      if (this.#host.mapped) {
        this.#host.settle();
        this.#host.frames.detach(link.handle, { closed, error: null });
      }
    }
    link.state = "detached";
    this.#table.delete(link);
  }

  /** For links: writes an attach of ours. */
  sendAttach(link: Link, attach: Attach): void {
    // A session that the peer has not begun has its attaches written when it has.
    if (this.#host.mapped) this.#host.frames.attach(attach);
    else if (!this.#host.beginning) link.state = "detached";
  }

  /** For links: writes a detach of ours. */
  sendDetach(link: Sender | Receiver, end: LinkEnd): void {
    if (this.#host.mapped) {
      this.#host.settle();
      this.#host.frames.detach(link.handle, end);
      link.state = "detaching";
    } else {
      // Nothing was written of the link, so nothing of it will be heard.
      link.state = "detached";
      this.#table.delete(link);
    }
    this.#gone(link, end);
  }

  /** All links go with their session. */
  clear(error: AmqpError | null): void {
    const links = this.all.filter(({ state }) => state !== "detaching" && state !== "detached");
    this.#table.clear();
    for (const link of links) {
      link.state = "detached";
      this.#gone(link, { closed: false, error });
    }
  }

  #ask<L extends Sender | Receiver>(link: L, options: AttachOptions): L {
    this.#host.linkCame(link);
    this.#table.add(link);
    link.say(options);
    return link;
  }

  #asked(attach: Attach): void {
    const Kind = attach.role ? Sender : Receiver;
    const link = new Kind(this.#host, this.#host.events, attach.name, this.#freeHandle(), "asked");
    link.remote = attach;
    this.#table.add(link);
    this.#table.bind(attach.handle, link);
    try {
      this.#host.linkCame(link);
    } catch (error) {
      if (!(error instanceof WireFailure)) throw error;
      // Nobody was told of the link, nor will be.
      link.say({});
      link.state = "detaching";
      const failure = { condition: error.condition, description: error.message };
      this.#host.events.linkRefused?.(failure);
      return this.#host.frames.detach(link.handle, { closed: true, error: failure });
    }
    this.#host.events.linkAsked(link);
  }

  #freeHandle(): number {
    return this.#table.freeHandle(this.#host.theirHandleMax);
  }

  /** Tells of a link that is no more, once. */
  #gone(link: Sender | Receiver, end: LinkEnd): void {
    this.#host.linkWent(link);
    this.#host.events.linkDetached(link, end);
    link.clear();
  }
}
