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
const AGAIN_MS = 10_000;

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
  #isWatched = false;
  /** When something was last acknowledged, or sent while nothing was on its way. */
  #progressMs = 0;

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
    if (message.type === "error") return this.#refused(link, message);
    if (message.type === "logged" && link === this.#links[0]) this.#acknowledged(message.seq);
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

  #acknowledged(seq: number): void {
    this.#buffer.acknowledge(seq);
    this.#sent = this.#sent.filter((end) => end > seq);
    this.#progressMs = this.#deps.clock.monotonicMs();
    this.#send();
    this.#look();
  }

  #refused(link: LinkSession, { code, message }: Extract<LinkMessage, { type: "error" }>): void {
    const isDeaf = code === "unsupported" && message.includes('"logs"');
    if (isDeaf || (code === "permission_denied" && message.startsWith("Cannot keep log events"))) {
      this.#deaf.add(link);
      return this.#look();
    }
    // What the directory cannot read, it can read no better a second time.
    const [first] = this.#sent;
    if (message.startsWith("Cannot take logs") && first !== undefined) this.#acknowledged(first);
  }

  /** What was not acknowledged for long goes again: a directory that was busy has let it fall. */
  #watch(): void {
    if (this.#isWatched) return;
    this.#isWatched = true;
    this.#deps.clock.setTimer(AGAIN_MS, () => {
      this.#isWatched = false;
      if (this.#sent.length === 0) return;
      if (this.#deps.clock.monotonicMs() - this.#progressMs >= AGAIN_MS) this.#restart();
      else this.#watch();
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
      if (this.#sent.length === 0) this.#progressMs = this.#deps.clock.monotonicMs();
      this.#sent.push(this.#nextSeq);
      this.#watch();
    }
  }

  #look(): void {
    for (const look of this.#idle) look();
  }
}
