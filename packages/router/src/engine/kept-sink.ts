import { plainName } from "../address/scope.ts";
import type { StallReason } from "@datawire/protocol";
import type { Storage } from "../queue/storage.ts";
import type { Intake } from "./intake.ts";
import { limitReasonOf } from "../address/reasons.ts";
import type { Incoming, Sink, SinkPort, Verdict } from "./ports.ts";

/** What a sender's end asks of its address. */
export interface SinkHost {
  readonly name: string;
  readonly dedupe: { readonly knowsIds: boolean };
  /** Why nothing is taken; null where it is. */
  readonly limitReason: string | null;
  /** Whether the address was removed. */
  readonly isGone: boolean;
  readonly storage: Pick<Storage, "batch" | "whenDurable">;
  /** Says when messages may go to the log; null for an address in memory. */
  readonly intake: Intake | null;
  /** Takes a message, or says why not. */
  take(message: Incoming, caller: string | null): Verdict;
  /** How many messages this sink may let in now. */
  allowance(sink: Sink<unknown>): number;
  detachSink(sink: Sink<unknown>): void;
}

/** How many messages a sender may have on their way: sent by it, and not accepted yet. */
const WINDOW = 1_000;

/** A sender's end of a queue or a topic. */
export class KeptSink<Token> implements Sink<Token> {
  readonly port: SinkPort<Token>;
  readonly #host: SinkHost;
  /** Messages that are not safe yet, by batch. */
  #batch = -1;
  #tokens: Token[] = [];
  #waiting = 0;

  constructor(host: SinkHost, port: SinkPort<Token>) {
    this.#host = host;
    this.port = port;
  }

  get name(): string {
    return this.#host.name;
  }

  get wantsIds(): boolean {
    return this.#host.dedupe.knowsIds;
  }

  get isClosed(): boolean {
    return this.#host.limitReason !== null;
  }

  get isGone(): boolean {
    return this.#host.isGone;
  }

  get reason(): StallReason | null {
    const { limitReason } = this.#host;
    if (limitReason !== null) return limitReasonOf(limitReason);
    return this.#waiting >= WINDOW ? "window" : null;
  }

  offer(message: Incoming, token: Token): Verdict {
    const { intake } = this.#host;
    const { length } = message.payload;
    if (intake === null || intake.admits(length)) return this.#take(message, token);
    // Copied, as the payload is in the buffer of the connection, which is reused.
    const kept = { ...message, payload: Uint8Array.from(message.payload) };
    const isHeld = intake.hold(length, () => {
      this.#waiting--;
      const verdict = this.#take(kept, token);
      if (verdict !== null) this.port.declined(token, verdict);
    });
    if (!isHeld) return { outcome: "released" };
    this.#waiting++;
    return null;
  }

  #take(message: Incoming, token: Token): Verdict {
    if (this.#host.isGone)
      return {
        outcome: "rejected",
        condition: "amqp:resource-deleted",
        description: `Cannot take a message at ${plainName(this.name)}: it was removed`,
      };
    const verdict = this.#host.take(message, this.port.caller ?? null);
    if (verdict === null) this.#awaitSafety(token);
    return verdict;
  }

  refresh(): void {
    const { port } = this;
    const allowed = Math.max(0, Math.min(WINDOW - this.#waiting, this.#host.allowance(this)));
    if (allowed < port.credit || port.credit * 2 < allowed || (port.credit === 0 && allowed > 0))
      port.setCredit(allowed);
  }

  detach(): void {
    this.#host.detachSink(this);
  }

  #awaitSafety(token: Token): void {
    const { storage } = this.#host;
    const { batch } = storage;
    this.#waiting++;
    if (batch === this.#batch) {
      this.#tokens.push(token);
      return;
    }
    this.#batch = batch;
    const tokens = (this.#tokens = [token]);
    storage.whenDurable(() => {
      this.#waiting -= tokens.length;
      this.port.accepted(tokens);
      this.refresh();
    });
  }
}
