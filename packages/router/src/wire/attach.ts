import { DURABILITY, type Receiver, type Sender, type Source, type Target } from "@datawire/amqp";
import { type AddressContext, type MessageAddress, parseMessageAddress } from "../address/address.ts";
import type { SourceRequest } from "../engine/ports.ts";
import { Refused } from "../engine/refused.ts";

/** Capabilities that decide what an address is, where no rule does. */
type Capability = "queue" | "topic" | null;

/** What a peer that sends asks for. */
export type TargetRequest =
  | { readonly is: "address"; readonly address: MessageAddress; readonly capability: Capability }
  | { readonly is: "relay" }
  | { readonly is: "dynamic" };

/** What a peer that receives asks for, but for its filters. */
export type ReceiverRequest = { readonly is: "address"; readonly source: SourceRequest } | { readonly is: "dynamic" };

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
 * Reads from where a peer wants to receive.
 * @throws Refused, or ProtocolError for what is no address.
 */
export function readSource(
  { name: link, remote }: Sender,
  container: string,
  context: AddressContext,
): ReceiverRequest {
  const source = remote?.source;
  if (source === undefined) throw new Refused("amqp:not-found", "Cannot attach: the link has no source");
  if (source.dynamic === true) return { is: "dynamic" };
  if (source.address === undefined || source.address === "") {
    throw new Refused("amqp:invalid-field", "Cannot attach: the source has no address, and is not dynamic");
  }
  const { name, from } = parseMessageAddress(source.address, context);
  const isDurable = (source.durable ?? DURABILITY.none) > DURABILITY.none || source.expiryPolicy === "never";
  const subscription = isDurable ? ownerOf(container, link) : null;
  return {
    is: "address",
    source: { name, capability: capabilityOf(source), from, subscription, isCopy: source.distributionMode === "copy" },
  };
}

/** Who has a link: by this it is known again. */
export const ownerOf = (container: string, link: string): string => JSON.stringify([container, link]);

function capabilityOf({ capabilities = [] }: Pick<Source & Target, "capabilities">): Capability {
  if (capabilities.includes("queue")) return "queue";
  return capabilities.includes("topic") ? "topic" : null;
}
