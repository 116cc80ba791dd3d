import { withSessionOf } from "../core/carrier.ts";
import { draft, type Message } from "../core/message.ts";
import type { Body } from "../core/body.ts";
import { abortedError, MicroserverError } from "../core/microserver-error.ts";
import type { Hub } from "../links/hub.ts";
import { ReceiveLink } from "../links/receive-link.ts";
import type { Outbox } from "../outbox/outbox.ts";

const ANSWERS_CREDIT = 100;

interface Pending {
  readonly to: string;
  ask(replyTo: string): void;
  failed(error: Error): void;
  answered(message: Message): void;
}

/** How to ask. */
export interface RequestOptions {
  readonly signal?: AbortSignal;
  /** How long to wait for the answer, the router included. Default 30,000. */
  readonly timeoutMs?: number;
}

/** Questions, and the one link on which their answers come. */
export class Requests {
  readonly #hub: Hub;
  readonly #outbox: Outbox;
  readonly #pending = new Map<string, Pending>();
  #answers: ReceiveLink | null = null;
  #replyTo: string | null = null;

  constructor(hub: Hub, outbox: Outbox) {
    this.#hub = hub;
    this.#outbox = outbox;
  }

  get link(): ReceiveLink | null {
    return this.#answers;
  }

  /** Sends a question, and resolves with its answer. Where the router loses the place for answers, it is asked again. */
  ask(to: string, body: Body, { signal, timeoutMs = 30_000 }: RequestOptions): Promise<Message> {
    const id = this.#hub.deps.chance.id();
    const over = new AbortController();
    const carried = withSessionOf({});
    return new Promise<Message>((resolve, reject) => {
      if (signal?.aborted === true) return reject(abortedError(`ask ${to}`, signal));
      const end = (): void => {
        this.#pending.delete(id);
        cancel();
        signal?.removeEventListener("abort", stop);
        over.abort();
      };
      const fail = (error: Error): void => {
        if (!this.#pending.has(id)) return;
        end();
        reject(error);
      };
      const stop = (): void => fail(abortedError(`ask ${to}`, signal as AbortSignal));
      const cancel = this.#hub.deps.clock.setTimer(timeoutMs, () =>
        fail(
          new MicroserverError(
            "timeout",
            `Cannot ask ${to}: no answer came within ${timeoutMs} ms${this.#hub.failureNote}`,
          ),
        ),
      );
      signal?.addEventListener("abort", stop, { once: true });
      this.#pending.set(id, {
        to,
        failed: fail,
        ask: (replyTo) => {
          try {
            const fields = { ...carried, id, correlationId: id, replyTo, ttlMs: timeoutMs };
            const question = draft(to, body, fields, this.#nowMs());
            this.#outbox.send(to, question, { signal: over.signal }).catch(fail);
          } catch (error) {
            fail(error as Error);
          }
        },
        answered: (message) => {
          end();
          resolve(message);
        },
      });
      this.#open().catch(fail);
      if (this.#replyTo !== null) this.#pending.get(id)?.ask(this.#replyTo);
    });
  }

  /** Waits for no answers any more, also where the router was never there. */
  close(): void {
    for (const { to, failed } of this.#pending.values())
      failed(new MicroserverError("closed", `Cannot ask ${to}: the microserver is closed${this.#hub.failureNote}`));
    this.#answers?.close(true);
  }

  #nowMs(): number {
    return this.#hub.deps.clock.nowMs();
  }

  async #open(): Promise<void> {
    if (this.#answers !== null) return;
    const link = new ReceiveLink(this.#hub, {
      address: null,
      name: `answers-${this.#hub.deps.chance.id()}`,
      isDurable: false,
      from: null,
      credit: () => ANSWERS_CREDIT,
      waitsFor: () => null,
      received: (delivery, message) => {
        delivery.accept();
        if (message.correlationId !== null) this.#pending.get(message.correlationId)?.answered(message);
        if (link.credit <= ANSWERS_CREDIT / 2) link.refresh();
      },
    });
    this.#answers = link;
    link.onAttached = (address) => {
      if (address === this.#replyTo) return;
      this.#replyTo = address;
      for (const pending of this.#pending.values()) pending.ask(address);
    };
    await link.begin();
  }
}
