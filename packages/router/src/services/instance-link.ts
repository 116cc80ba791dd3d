import type { LinkEnd, OutgoingDelivery, Sender } from "@datawire/amqp";
import { type Backoff, backoff, type Clock, describeError, type Logger } from "@datawire/runtime";
import type { Broker } from "../engine/broker.ts";
import { type FarEnd, FarConnection } from "../upstream/far-connection.ts";
import { ReceiverLink } from "../wire/receiver-link.ts";
import type { Endpoint } from "./instances.ts";

/** What links to instances work with. */
export interface InstanceLinkDeps {
  readonly broker: Broker;
  readonly clock: Clock;
  readonly log: Logger;
  readonly random: () => number;
  /** What the router calls itself. */
  readonly container: string;
  readonly unsettledMax: number;
}

/** That an instance cannot be linked to, in spite of what the directory says of it. */
interface Failure {
  readonly sinceMs: number;
  readonly why: string;
}

const BACKOFF = { baseMs: 50, capMs: 2_000 } as const;

/** A link of the router to one instance of a service, made anew for as long as it is wanted: a consumer of its address. */
export class InstanceLink implements FarEnd {
  readonly #name: string;
  readonly #endpoint: Endpoint;
  readonly #deps: InstanceLinkDeps;
  readonly #stop = new AbortController();
  readonly ended: Promise<void>;
  #backoff: Backoff;
  /** Some take links with SASL alone, and some without it alone: what does not do is not tried twice in a row. */
  #isWithoutSasl = false;
  #sender: Sender | null = null;
  #link: ReceiverLink | null = null;
  #failure: Failure | null = null;

  /** @param name the address here. */
  constructor(name: string, endpoint: Endpoint, deps: InstanceLinkDeps) {
    this.#name = name;
    this.#endpoint = endpoint;
    this.#deps = deps;
    this.#backoff = backoff({ ...BACKOFF, random: deps.random });
    this.ended = this.#run();
  }

  /** What it goes to: another URL or version is another link. */
  get key(): string {
    return keyOf(this.#endpoint);
  }

  /** Why there has been no link to it for so long; null where there is one, or was. */
  failureFor(ms: number): string | null {
    const failure = this.#failure;
    return failure !== null && this.#deps.clock.monotonicMs() - failure.sinceMs >= ms ? failure.why : null;
  }

  get instance(): Endpoint["instance"] {
    return this.#endpoint.instance;
  }

  /** Ends it; what the instance has and has not settled goes back. */
  close(): void {
    this.#stop.abort();
  }

  farAttached(): void {
    const { instance } = this.#endpoint;
    const { broker, clock, unsettledMax } = this.#deps;
    if (this.#sender === null) return;
    this.#backoff = backoff({ ...BACKOFF, random: this.#deps.random });
    this.#failure = null;
    this.#link = new ReceiverLink(
      this.#sender,
      broker,
      { name: this.#name, capability: null, from: null, subscription: null, isCopy: false },
      {
        filter: null,
        isPresettled: false,
        isLocal: false,
        unsettledMax,
        member: { instance: instance.name, version: instance.version },
        nowMs: () => clock.monotonicMs(),
      },
    );
    this.#link.flow();
  }

  farDetached({ error }: LinkEnd): void {
    this.#link?.detached(true);
    this.#link = null;
    this.#sender = null;
    const { instance } = this.#endpoint;
    this.#failed(error?.description ?? error?.condition ?? "it ended the link");
    this.#deps.log.debug("Link to an instance ended", { instance: instance.name, error: error?.condition });
  }

  farFlow(): void {
    this.#link?.flow();
  }

  farOutcome(delivery: OutgoingDelivery): void {
    this.#link?.outcome(delivery);
  }

  farDelivered(): void {}

  farSettled(): void {}

  farSenderFlow(): void {}

  async #run(): Promise<void> {
    const { signal } = this.#stop;
    while (!signal.aborted) {
      try {
        await this.#hold();
      } catch (error) {
        // What a peer says that takes no login, or no peer without one, is no reason: the other way is tried next.
        if (this.#failure === null || !this.#isWithoutSasl) this.#failed(describeError(error));
        this.#isWithoutSasl = !this.#isWithoutSasl;
        const { instance, host, port } = this.#endpoint;
        this.#deps.log.debug("Instance not reached", {
          instance: instance.name,
          host,
          port,
          error: describeError(error),
        });
      }
      const { delayMs, backoff: next } = this.#backoff.next();
      this.#backoff = next;
      await this.#deps.clock.sleep(delayMs, signal);
    }
  }

  #failed(why: string): void {
    const { host, port } = this.#endpoint;
    const sinceMs = this.#failure?.sinceMs ?? this.#deps.clock.monotonicMs();
    this.#failure = { sinceMs, why: `no link to it at ${host.includes(":") ? `[${host}]` : host}:${port}: ${why}` };
  }

  /** Holds one connection until it is gone. */
  async #hold(): Promise<void> {
    const { host, port, isTls, address } = this.#endpoint;
    const { clock, container } = this.#deps;
    const { signal } = this.#stop;
    const upstream = { name: this.#name, host, port, isTls, vhost: null, user: null, password: null, ca: null };
    const far = await FarConnection.open({
      upstream,
      who: { container },
      clock,
      signal,
      isWithoutSasl: this.#isWithoutSasl,
    });
    const stop = (): void => far.close();
    if (signal.aborted) stop();
    else signal.addEventListener("abort", stop, { once: true });
    const sender = far.begin().attachSender(`${container}/${this.#name}`, {
      target: { type: "target", address },
      source: { address: this.#name },
    });
    sender.context = this;
    this.#sender = sender;
    await far.gone;
    signal.removeEventListener("abort", stop);
    this.#link?.detached(true);
    this.#link = null;
    this.#sender = null;
  }
}

/** What tells links to instances apart. */
export const keyOf = ({ instance, host, port, isTls, address }: Endpoint): string =>
  JSON.stringify([instance.name, instance.version, host, port, isTls, address]);
