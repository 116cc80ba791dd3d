import type { LoggedEvent } from "@datawire/protocol";
import type { LinkMessage, LinkSession } from "@datawire/link";
import type { SessionClock } from "../session/time.ts";
import { LogBuffer } from "./log-buffer.ts";

/** What sending log events works with. */
export interface LogSenderDeps {
  readonly clock: SessionClock;
  /** Makes the event that tells how many were dropped. */
  readonly tellDropped: (count: number) => LoggedEvent;
}

/** Events within this time go in one message. */
const COALESCE_MS = 10;
/** What may be on its way without an acknowledgement, in messages. */
const WINDOW = 4;

/** Sends what is logged to a directory, again after a reconnect, until the directory says that it is kept. */
export class LogSender {
  readonly #buffer = new LogBuffer();
  readonly #deps: LogSenderDeps;
  readonly #links: LinkSession[] = [];
  /** Links to directories that know nothing of logs. */
  readonly #deaf = new WeakSet<LinkSession>();
  readonly #idle = new Set<() => void>();
  /** The ends of the messages that are on their way. */
  #sent: number[] = [];
  #nextSeq = 0;
  #isDue = false;

  constructor(deps: LogSenderDeps) {
    this.#deps = deps;
  }

  add(event: LoggedEvent): void {
    this.#buffer.add(event);
    this.#sendSoon();
  }

  connected(link: LinkSession): void {
    this.#links.push(link);
    if (this.#links.length === 1) this.#restart();
  }

  disconnected(link: LinkSession): void {
    const wasFirst = this.#links[0] === link;
    this.#links.splice(this.#links.indexOf(link), 1);
    if (wasFirst) this.#restart();
  }

  message(link: LinkSession, message: LinkMessage): void {
    if (message.type === "error" && message.code === "unsupported" && message.message.includes('"logs"')) {
      this.#deaf.add(link);
      return this.#look();
    }
    if (message.type !== "logged" || link !== this.#links[0]) return;
    this.#buffer.acknowledge(message.seq);
    this.#sent = this.#sent.filter((end) => end > message.seq);
    this.#send();
    this.#look();
  }

  /** Resolves when everything is acknowledged, or cannot be sent now. */
  flushed(): Promise<void> {
    this.#send();
    return new Promise((resolve) => {
      const look = (): void => {
        if (this.#buffer.size > 0 && this.#link() !== null) return;
        this.#idle.delete(look);
        resolve();
      };
      this.#idle.add(look);
      look();
    });
  }

  /** Where to send to; null while nobody takes logs. */
  #link(): LinkSession | null {
    const [link] = this.#links;
    return link === undefined || this.#deaf.has(link) ? null : link;
  }

  /** What was not acknowledged over the link before goes again. */
  #restart(): void {
    this.#sent = [];
    this.#nextSeq = 0;
    this.#send();
    this.#look();
  }

  #sendSoon(): void {
    if (this.#link() === null || this.#isDue) return;
    this.#isDue = true;
    this.#deps.clock.setTimer(COALESCE_MS, () => {
      this.#isDue = false;
      this.#send();
    });
  }

  #send(): void {
    const link = this.#link();
    if (link === null) return;
    const dropped = this.#buffer.takeDropped();
    if (dropped > 0) this.#buffer.add(this.#deps.tellDropped(dropped));
    while (this.#sent.length < WINDOW) {
      const batch = this.#buffer.batch(this.#nextSeq);
      if (batch === null || !link.send({ type: "logs", seq: batch.seq, events: [...batch.events] })) return;
      this.#nextSeq = batch.seq + batch.events.length;
      this.#sent.push(this.#nextSeq);
    }
  }

  #look(): void {
    for (const look of this.#idle) look();
  }
}
