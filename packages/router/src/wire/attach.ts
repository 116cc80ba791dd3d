import { DURABILITY, type Fields, type Receiver, type Sender, type Source, type Target, textOf } from "@datawire/amqp";
import { isName, NAME_RULE, parseVersion, ProtocolError, quoteShort } from "@datawire/protocol";
import { type AddressContext, type MessageAddress, parseMessageAddress } from "../address/address.ts";
import type { KeptSubscription } from "../engine/durables.ts";
import type { Member, SourceRequest } from "../engine/ports.ts";
import { Refused } from "../engine/refused.ts";
import { selecting } from "./filter.ts";

/** Capabilities that decide what an address is, where no rule does. */
type Capability = "queue" | "topic" | null;

/** What a peer that sends asks for. */
export type TargetRequest =
  | { readonly is: "address"; readonly address: MessageAddress; readonly capability: Capability }
  | { readonly is: "relay" }
  | { readonly is: "dynamic" };

/** What a peer that receives asks for, but for its filters. */
export type ReceiverRequest =
  | {
      readonly is: "address";
      readonly source: SourceRequest;
      readonly named: NamedMember;
      /** What it is told of its source beside what it asked for. */
      readonly said: Source;
    }
  | { readonly is: "dynamic" };

/** What an address says of who receives there: `orders@a(2)`. */
export type NamedMember = Pick<MessageAddress, "instance" | "version">;

/**
 * Reads where a peer wants to send.
 * @throws Refused, or ProtocolError for what is no address.
 */
export function readTarget({ remote }: Receiver, context: AddressContext): TargetRequest {
  const target = remote?.target;
  if (target === undefined) throw new Refused("amqp:invalid-field", "Cannot attach: the link has no target");
  if (target.type === "coordinator")
    throw new Refused("amqp:not-implemented", "Cannot begin transactions: this router has none");
  if (target.dynamic === true) return { is: "dynamic" };
  if (target.address === undefined || target.address === "") return { is: "relay" };
  return { is: "address", address: parseMessageAddress(target.address, context), capability: capabilityOf(target) };
}

/**
 * Reads from where a peer wants to receive. Who says no source asks for the subscription that it has by this name, to end it as a
 * rule: `unsubscribe` of JMS.
 * @param kept what its owner has; null for nothing.
 * @throws Refused, or ProtocolError for what is no address.
 */
export function readSource(
  { name: link, remote }: Sender,
  container: string,
  context: AddressContext,
  kept: KeptSubscription | null,
): ReceiverRequest {
  const said: Source = remote?.source !== undefined || kept === null ? {} : sourceOf(kept);
  const source = remote?.source ?? (kept === null ? undefined : said);
  if (source === undefined) {
    throw new Refused(
      "amqp:not-found",
      "Cannot attach: the link has no source, and no subscription of its name is kept",
    );
  }
  if (source.dynamic === true) return { is: "dynamic" };
  if (source.address === undefined || source.address === "") {
    throw new Refused("amqp:invalid-field", "Cannot attach: the source has no address, and is not dynamic");
  }
  const { name, from, instance, version } = parseMessageAddress(source.address, context);
  const isDurable = (source.durable ?? DURABILITY.none) > DURABILITY.none || source.expiryPolicy === "never";
  const subscription = isDurable ? ownerOf(container, link) : null;
  return {
    is: "address",
    source: { name, capability: capabilityOf(source), from, subscription, isCopy: source.distributionMode === "copy" },
    named: { instance, version },
    said,
  };
}

const sourceOf = ({ address, selector }: KeptSubscription): Source => ({
  address,
  durable: DURABILITY.unsettledState,
  expiryPolicy: "never",
  ...(selector !== null && { filter: selecting(selector) }),
});

/** What a dynamic address is to be, by the capabilities of its link; JMS has words of its own for what is temporary. */
export function dynamicKind({ isReceiver, remote }: Sender | Receiver): "queue" | "topic" {
  const terminus = isReceiver ? remote?.target : remote?.source;
  const capabilities = terminus !== undefined && "capabilities" in terminus ? (terminus.capabilities ?? []) : [];
  return capabilities.includes("topic") || capabilities.includes("temporary-topic") ? "topic" : "queue";
}

/** Who has a link: by this it is known again. */
export const ownerOf = (container: string, link: string): string => JSON.stringify([container, link]);

function capabilityOf({ capabilities = [] }: Pick<Source & Target, "capabilities">): Capability {
  const [isQueue, isTopic] = [capabilities.includes("queue"), capabilities.includes("topic")];
  // Who takes it for both takes it as it is.
  if (isQueue === isTopic) return null;
  return isQueue ? "queue" : "topic";
}

/** What properties of a link, its address, and properties of its connection say, in this order. */
export interface Said {
  readonly link: Fields | undefined;
  /** Null for a link without an address. */
  readonly named: NamedMember | null;
  readonly connection: Fields | undefined;
  /** What the peer calls itself. */
  readonly container: string;
}

/**
 * The instance that a consumer says it is, by the properties `version` and `instance`, or in its address; null for one that says
 * neither. Without an instance it is that of its container.
 * @throws Refused for what is no version, or no name.
 */
export function readMember({ link, named, connection, container }: Said): Member | null {
  const said = (name: "version" | "instance"): string | null =>
    textOf(link?.get(name)) ?? named?.[name] ?? textOf(connection?.get(name));
  const [version, instance] = [said("version"), said("instance")];
  if (version === null && instance === null) return null;
  if (instance !== null && !isName(instance)) {
    throw new Refused(
      "amqp:invalid-field",
      `Cannot attach: the property instance is ${quoteShort(instance)}, wanted ${NAME_RULE}`,
    );
  }
  return { instance: instance ?? nameOf(container), version: version === null ? null : readVersion(version) };
}

/** Who sends, as routes know it: the property `caller` of the connection, else its container. */
export function readCaller({ connection, container }: Pick<Said, "connection" | "container">): string {
  return textOf(connection?.get("caller")) ?? container;
}

function readVersion(text: string): string {
  try {
    return parseVersion(text);
  } catch (error) {
    const why = (error instanceof ProtocolError && error.why) || "it is no version";
    throw new Refused("amqp:invalid-field", `Cannot attach: the property version is ${quoteShort(text)}: ${why}`);
  }
}

function nameOf(container: string): string {
  const name = container
    .toLowerCase()
    .replace(/[^a-z0-9._-]/g, "-")
    .slice(0, 100)
    .replace(/^[.-]+|[.-]+$/g, "");
  return isName(name) ? name : "consumer";
}
