import { Budget, type IncomingDelivery, type Receiver } from "@datawire/amqp";
import { ProtocolError } from "@datawire/protocol";
import { describeError } from "@datawire/runtime";
import type { Rights } from "../access/rights.ts";
import { type AddressContext, parseMessageAddress } from "../address/address.ts";
import { plainName, scopedName } from "../address/scope.ts";
import type { Room, Sink, SinkPort } from "../engine/ports.ts";
import { Refused } from "../engine/refused.ts";
import type { Outcome } from "../queue/delivery.ts";
import { readTo } from "./incoming-message.ts";
import { decline, stateOf, take } from "./sender-link.ts";

/** Messages on their way, and addresses that are kept at hand. */
const CREDIT = 200;
const SINKS_MAX = 100;
/** What messages to addresses that hold nothing may take while they wait for a consumer. */
const WAITING_BYTES_MAX = 16 * 2 ** 20;

/**
 * Finds the end of an address for messages.
 * @throws Refused
 */
export type OpenSink = (name: string, port: RelayPort) => Sink<IncomingDelivery>;

/** What stands for the link where a message goes to. */
export type RelayPort = SinkPort<IncomingDelivery> & { readonly room: Room };

interface RelayContext {
  readonly addresses: AddressContext;
  readonly rights: Rights;
  /** Who sends, as routes know it. */
  readonly caller: string;
}

/** A link on which each message says where it goes. */
export class RelayLink {
  readonly name = null;
  readonly #receiver: Receiver;
  readonly #openSink: OpenSink;
  readonly #context: RelayContext;
  /** The last used ones last. */
  readonly #sinks = new Map<string, Sink<IncomingDelivery>>();
  readonly #port: RelayPort;

  constructor(receiver: Receiver, openSink: OpenSink, context: RelayContext) {
    this.#receiver = receiver;
    this.#openSink = openSink;
    this.#context = context;
    this.#port = {
      // The link's credit is that of no address: what one of them cannot take is rejected.
      credit: 0,
      caller: context.caller,
      room: new Budget(WAITING_BYTES_MAX),
      setCredit: () => {},
      accepted: (deliveries) => {
        for (const delivery of deliveries) delivery.accept();
        this.#receiver.keepCredit(CREDIT);
      },
      declined: decline,
      settled: (delivery, outcome: Outcome) => delivery.settle(stateOf(outcome)),
      gone: () => {
        // Whoever sends there next hears of it, or makes it anew.
        for (const [name, sink] of this.#sinks) if (sink.isGone) this.#sinks.delete(name);
      },
    };
    receiver.setCredit(CREDIT);
  }

  delivered(delivery: IncomingDelivery): void {
    try {
      const to = readTo(delivery.message);
      if (to !== null && typeof to === "object") throw new Refused("amqp:invalid-field", to.malformed);
      if (to === null)
        throw new Refused("amqp:precondition-failed", "Cannot relay a message: it does not say where to (`to`)");
      const sink = this.#sink(this.#nameOf(to));
      if (sink.isClosed)
        throw new Refused(
          "amqp:resource-limit-exceeded",
          `Cannot relay a message: ${plainName(sink.name)} takes none now`,
        );
      take(sink, delivery);
    } catch (error) {
      delivery.reject(errorOf(error));
    }
    this.#receiver.keepCredit(CREDIT);
  }

  #nameOf(to: string): string {
    const { addresses, rights } = this.#context;
    const { name } = parseMessageAddress(to, addresses);
    if (rights.maySend(name)) return scopedName(rights.tenant, name);
    throw new Refused("amqp:unauthorized-access", `Cannot relay a message: this user has no right to send to ${name}`);
  }

  detached(): void {
    for (const sink of this.#sinks.values()) sink.detach();
  }

  #sink(name: string): Sink<IncomingDelivery> {
    const known = this.#sinks.get(name);
    const sink = known === undefined || known.isGone ? this.#openSink(name, this.#port) : known;
    this.#sinks.delete(name);
    this.#sinks.set(name, sink);
    const [oldest] = this.#sinks;
    if (this.#sinks.size > SINKS_MAX && oldest !== undefined) {
      oldest[1].detach();
      this.#sinks.delete(oldest[0]);
    }
    return sink;
  }
}

/**
 * The error that a peer gets for a refusal. An unexpected error does not end the process either, but goes to the peer
 * that caused it.
 */
export function errorOf(error: unknown): { readonly condition: string; readonly description: string } {
  if (error instanceof Refused) return { condition: error.condition, description: error.message };
  if (error instanceof ProtocolError) return { condition: "amqp:invalid-field", description: error.message };
  return { condition: "amqp:internal-error", description: `The router failed at it: ${describeError(error)}` };
}
