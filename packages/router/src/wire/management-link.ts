import { encodeMessage, type IncomingDelivery, type Receiver, Sections, textOf } from "@datawire/amqp";
import { type AddressContext, parseMessageAddress } from "../address/address.ts";
import type { Broker } from "../engine/broker.ts";
import { Refused } from "../engine/refused.ts";
import { errorOf } from "./relay-link.ts";

/** Where `dw` asks what there is, and has things done. */
export const MANAGEMENT = "$management";

/**
 * Answers one question; what it returns is sent as JSON.
 * @throws Refused
 */
export type Manage = (operation: string, address: string | null) => unknown;

const CREDIT = 10;

const sections = new Sections();

/**
 * A link that asks. A question has the application property `operation`, and `address` where it is about one; the answer
 * goes to `reply_to`, with `statusCode` (200, or 400 with `statusDescription`) and JSON as its body.
 */
export class ManagementLink {
  readonly name = MANAGEMENT;
  readonly #receiver: Receiver;
  readonly #broker: Broker;
  readonly #addresses: AddressContext;
  readonly #manage: Manage;

  constructor(
    receiver: Receiver,
    broker: Broker,
    { addresses, manage }: { readonly addresses: AddressContext; readonly manage: Manage },
  ) {
    this.#receiver = receiver;
    this.#broker = broker;
    this.#addresses = addresses;
    this.#manage = manage;
    receiver.setCredit(CREDIT);
  }

  delivered(delivery: IncomingDelivery): void {
    try {
      this.#answer(delivery.message);
      delivery.accept();
    } catch (error) {
      delivery.reject(errorOf(error));
    }
    this.#receiver.keepCredit(CREDIT);
  }

  detached(): void {}

  #answer(message: Uint8Array): void {
    if (!sections.scan(message)) throw new Refused("amqp:invalid-field", "Cannot read the question");
    const properties = sections.properties();
    const asked = sections.applicationProperties();
    const [operation, about] = [textOf(asked?.get("operation")), textOf(asked?.get("address"))];
    if (operation === null || properties?.replyTo === undefined) {
      throw new Refused(
        "amqp:invalid-field",
        "Cannot answer: the question has no application property `operation`, or no reply_to",
      );
    }
    const { status, body } = this.#try(operation, about);
    const { messageId } = properties;
    const payload = encodeMessage({
      properties: { ...(messageId !== undefined && { correlationId: messageId }) },
      applicationProperties: new Map(status),
      body: { type: "value", value: body },
    });
    const port = { credit: 0, setCredit() {}, accepted() {}, settled() {}, gone() {} };
    const sink = this.#broker.openSink(parseMessageAddress(properties.replyTo, this.#addresses).name, null, port);
    sink.offer({ payload, ttlMs: 0, keys: null }, null);
    sink.detach();
  }

  #try(
    operation: string,
    about: string | null,
  ): { readonly status: Map<string, string | number>; readonly body: string } {
    try {
      const address = about === null ? null : parseMessageAddress(about, this.#addresses).name;
      return { status: new Map([["statusCode", 200]]), body: JSON.stringify(this.#manage(operation, address)) };
    } catch (error) {
      const { condition, description } = errorOf(error);
      const status = new Map<string, string | number>([
        ["statusCode", condition === "amqp:not-found" ? 404 : 400],
        ["statusDescription", description],
      ]);
      return { status, body: "null" };
    }
  }
}
