import { encodeMessage, type IncomingDelivery, type Receiver, Sections, textOf } from "@datawire/amqp";
import { type AddressContext, parseMessageAddress } from "../address/address.ts";
import { plainName, scopedName, tenantOf } from "../address/scope.ts";
import type { Broker } from "../engine/broker.ts";
import { Refused } from "../engine/refused.ts";
import { errorOf } from "./relay-link.ts";

/** Where `dw` asks what there is, and has things done. */
export const MANAGEMENT = "$management";

/**
 * Answers one question; what it returns is sent as JSON.
 * @throws Refused
 */
export type Manage = (
  operation: string,
  address: string | null,
  more: { readonly to: string | null; readonly settings: ReadonlyMap<string, string> },
) => unknown;

/** What a link that asks works with. */
export interface ManagementOptions {
  readonly addresses: AddressContext;
  readonly manage: Manage;
  readonly tenant: string | null;
  /** Whether an address is at this process, and at no upstream. */
  readonly isHere: (name: string) => boolean;
}

const CREDIT = 10;

const sections = new Sections();

/**
 * A link that asks. A question has the application property `operation`, and `address` where it is about one; the answer
 * goes to `reply_to`, with `statusCode` (200, or 404 or 400 with `statusCondition` and `statusDescription`) and JSON as its
 * body. What is to hold for an address is in the properties `setting:KEY`, by the keys of router.yaml. `try:` in front of an operation asks what it would do.
 */
export class ManagementLink {
  readonly name = MANAGEMENT;
  readonly #receiver: Receiver;
  readonly #broker: Broker;
  readonly #addresses: AddressContext;
  readonly #manage: Manage;
  readonly #tenant: string | null;
  readonly #isHere: (name: string) => boolean;

  constructor(receiver: Receiver, broker: Broker, { addresses, manage, tenant, isHere }: ManagementOptions) {
    this.#receiver = receiver;
    this.#broker = broker;
    this.#addresses = addresses;
    this.#manage = manage;
    this.#tenant = tenant;
    this.#isHere = isHere;
    receiver.setCredit(CREDIT);
  }

  delivered(delivery: IncomingDelivery): void {
    // It lies in the buffer of the connection, which is used again before the answer is there.
    void this.#answer(delivery, Uint8Array.from(delivery.message));
    this.#receiver.keepCredit(CREDIT);
  }

  detached(): void {}

  async #answer(delivery: IncomingDelivery, message: Uint8Array): Promise<void> {
    try {
      const { question, replyTo, messageId } = readQuestion(message);
      const { status, body } = await this.#try(question);
      const payload = encodeMessage({
        properties: { ...(messageId !== undefined && { correlationId: messageId }) },
        applicationProperties: new Map(status),
        body: { type: "value", value: body },
      });
      const port = { credit: 0, setCredit() {}, accepted() {}, declined() {}, settled() {}, gone() {} };
      const answerTo = this.#nameOf(replyTo);
      if (!this.#isHere(answerTo))
        throw new Refused("amqp:not-allowed", `Cannot answer at ${replyTo}: wanted an address that is dynamic`);
      const sink = this.#broker.openSink(answerTo, null, port);
      sink.offer({ payload, ttlMs: 0, keys: null }, null);
      sink.detach();
      delivery.accept();
    } catch (error) {
      delivery.reject(errorOf(error));
    }
  }

  async #try({
    operation,
    address,
    to,
    settings,
  }: Question): Promise<{ readonly status: Map<string, string | number>; readonly body: string }> {
    const nameOf = (text: string | null): string | null => (text === null ? null : this.#nameOf(text));
    try {
      const answer = await this.#manage(operation, nameOf(address), { to: nameOf(to), settings });
      return { status: new Map([["statusCode", 200]]), body: JSON.stringify(withinTenant(answer, this.#tenant)) };
    } catch (error) {
      const { condition, description } = errorOf(error);
      const status = new Map<string, string | number>([
        ["statusCode", condition === "amqp:not-found" ? 404 : 400],
        ["statusDescription", description],
        ["statusCondition", condition],
      ]);
      return { status, body: "null" };
    }
  }

  #nameOf(text: string): string {
    return scopedName(this.#tenant, parseMessageAddress(text, this.#addresses).name);
  }
}

/** An answer for a client of a tenant: only that tenant's addresses, under the names that the tenant uses. */
function withinTenant(answer: unknown, tenant: string | null): unknown {
  if (tenant === null || typeof answer !== "object" || answer === null) return answer;
  if (Array.isArray(answer))
    return answer.filter((one) => isOf(one, tenant)).map((one: unknown) => withinTenant(one, tenant));
  return Object.fromEntries(
    Object.entries(answer).map(([key, value]) => [
      key,
      key === "address" && typeof value === "string" ? plainName(value) : withinTenant(value, tenant),
    ]),
  );
}

function isOf(one: unknown, tenant: string): boolean {
  if (typeof one !== "object" || one === null || !("address" in one)) return true;
  return typeof one.address === "string" && tenantOf(one.address) === tenant;
}

interface Question {
  readonly operation: string;
  readonly address: string | null;
  readonly to: string | null;
  readonly settings: ReadonlyMap<string, string>;
}

/** In front of the application properties that say what is to hold for an address. */
const SETTING = "setting:";

function readQuestion(message: Uint8Array) {
  if (!sections.scan(message)) throw new Refused("amqp:invalid-field", "Cannot read the question");
  const properties = sections.properties();
  const asked = sections.applicationProperties();
  const [operation, address, to] = ["operation", "address", "to"].map((key) => textOf(asked?.get(key)));
  const settings = new Map(
    [...(asked ?? [])].flatMap(([key, value]) =>
      typeof key === "string" && key.startsWith(SETTING) ? [[key.slice(SETTING.length), textOf(value) ?? ""]] : [],
    ),
  );
  const { replyTo, messageId } = properties ?? {};
  if (operation == null || replyTo === undefined) {
    throw new Refused(
      "amqp:invalid-field",
      "Cannot answer: the question has no application property `operation`, or no reply_to",
    );
  }
  return { question: { operation, address: address ?? null, to: to ?? null, settings }, replyTo, messageId };
}
