import { REDIRECT_CAPABILITY, type StallReason } from "@datawire/protocol";
import {
  type AmqpError,
  type IncomingDelivery,
  type Open,
  type OutgoingDelivery,
  type Receiver,
  SENDER_SETTLES,
  type Sender,
  type Source,
} from "@datawire/amqp";
import { isOwnAddress } from "@datawire/runtime";
import type { Rights } from "../access/rights.ts";
import { scopedName } from "../address/scope.ts";
import type { AddressContext } from "../address/address.ts";
import type { FarAddress } from "../address/rules.ts";
import type { ConnectionLimits } from "../config/limits.ts";
import type { Broker } from "../engine/broker.ts";
import type { KeptSubscription, Siblings } from "../engine/durables.ts";
import type { HeldBack, SourceRequest } from "../engine/ports.ts";
import { Refused } from "../engine/refused.ts";
import {
  type NamedMember,
  ownerOf,
  readCaller,
  readMember,
  readSource,
  readTarget,
  type ReceiverRequest,
} from "./attach.ts";
import { type Filter, readFilter } from "./filter.ts";
import { type Manage, MANAGEMENT, ManagementLink } from "./management-link.ts";
import type { Refusals } from "../config/refusals.ts";
import { ReceiverLink } from "./receiver-link.ts";
import { type OpenSink, RelayLink } from "./relay-link.ts";
import { SenderLink } from "./sender-link.ts";
import type { ThroughReceiver } from "../upstream/through-receiver.ts";
import type { ThroughSender } from "../upstream/through-sender.ts";
import type { UpstreamClient } from "../upstream/upstreams.ts";

/**
 * What serves a link: one for a peer that sends to one address or to many, one for a peer that receives, or one that
 * goes on to an upstream.
 */
type Link = SenderLink | RelayLink | ReceiverLink | ManagementLink | ThroughSender | ThroughReceiver;

/** What a link is told, and asked. */
interface LinkUser {
  readonly name: string | null;
  readonly heldBackBy?: HeldBack | null;
  readonly lag?: number | null;
  readonly whyWaits?: StallReason | null;
  delivered?(delivery: IncomingDelivery): void;
  peerSettled?(delivery: IncomingDelivery): void;
  peerFlow?(): void;
  flow?(): void;
  outcome?(delivery: OutgoingDelivery): void;
  detached(isClosed: boolean): void;
}

/** Who uses a link here; null for nobody. */
export const linkOf = (link: Sender | Receiver): LinkUser | null => link.context as Link | null;

/**
 * Where a client is redirected to, instead of a link to an address; null where the router serves the address itself.
 */
export type Redirect = (name: string, caller: string) => AmqpError | null;

/** What it takes to open links. */
export interface Opening {
  readonly broker: Broker;
  readonly addresses: AddressContext;
  readonly limits: ConnectionLimits;
  readonly manage: Manage;
  readonly rights: Rights;
  /** What the peer calls itself. */
  readonly container: string;
  /** Where it comes from: `HOST:PORT`. */
  readonly peer: string;
  readonly upstreams: UpstreamClient;
  /** Makes an address for a link, which goes with it. */
  readonly makeDynamic: (link: Sender | Receiver) => string;
  /** What its `open` says of it. */
  readonly remote: Open | null;
  /** Left out where nobody takes links but the router. */
  readonly redirect?: Redirect;
  /** Left out where there are none. */
  readonly siblings?: Siblings;
  /** Monotonic. */
  readonly nowMs: () => number;
  readonly refusals: Pick<Refusals, "count">;
}

/**
 * Opens a link that a peer asks for.
 * @param opening read where it is needed.
 * @param refused told why it cannot be opened; by then the peer has to be told.
 */
export function openLink(link: Sender | Receiver, opening: () => Opening, refused: (error: unknown) => void): void {
  try {
    if (link.isReceiver) openSender(link, opening());
    else openReceiver(link, opening())?.catch(refused);
  } catch (error) {
    refused(error);
  }
}

/**
 * Opens a link on which the peer sends.
 * @throws Refused, or ProtocolError for what is no address.
 */
function openSender(link: Receiver, opening: Opening): void {
  const { broker, addresses, limits, makeDynamic, manage, rights, upstreams } = opening;
  const caller = callerOf(opening);
  const request = readTarget(link, addresses);
  const maxMessageSize = limits.messageBytes;
  if (request.is === "relay") {
    if (!rights.maySendAnywhere()) throw unauthorized("send", "any address");
    const openSink: OpenSink = (name, port) => {
      const far = upstreams.farOf(name);
      return far === null ? broker.openSink(name, null, port) : upstreams.openSink(name, far, port.room);
    };
    link.context = new RelayLink(link, openSink, { addresses, rights, caller });
    return link.accept({ maxMessageSize });
  }
  if (request.is === "dynamic") {
    const address = makeDynamic(link);
    link.context = new SenderLink(link, broker, { name: address, capability: null, caller });
    return link.accept({ maxMessageSize, target: { ...link.remote?.target, address, dynamic: true, type: "target" } });
  }
  if (request.address.name === MANAGEMENT) {
    if (!rights.mayManage) throw unauthorized("manage", "this router");
    link.context = new ManagementLink(link, broker, {
      addresses,
      manage,
      tenant: rights.tenant,
      isHere: (name) => upstreams.farOf(name) === null,
    });
    return link.accept({ maxMessageSize });
  }
  if (!rights.maySend(request.address.name)) throw unauthorized("send to", request.address.name);
  const name = scopedName(rights.tenant, request.address.name);
  const elsewhere = redirected(opening, name);
  if (elsewhere !== null) return link.refuse(elsewhere);
  const far = upstreams.farOf(name);
  if (far !== null) {
    // It is answered when its upstream has answered.
    link.context = upstreams.openSender(link, name, far);
    return;
  }
  link.context = new SenderLink(link, broker, { name, capability: request.capability, caller });
  link.accept({ maxMessageSize });
}

/**
 * Opens a link on which the peer receives; later, where other processes have to be asked for what it had.
 * @throws Refused, or ProtocolError for what is no address.
 */
function openReceiver(link: Sender, opening: Opening): Promise<void> | undefined {
  const { broker, container, rights, siblings } = opening;
  const owner = { key: ownerOf(container, link.name), tenant: rights.tenant };
  const kept = link.remote?.source === undefined ? broker.durables.find(owner) : null;
  if (link.remote?.source !== undefined || kept !== null || siblings === undefined)
    return receiveAs(link, opening, kept);
  return siblings.find(owner).then(async (found) => {
    if (link.state === "asked") await receiveAs(link, opening, found);
  });
}

function receiveAs(link: Sender, opening: Opening, kept: KeptSubscription | null): Promise<void> | undefined {
  const { addresses, container, makeDynamic, rights, siblings, upstreams } = opening;
  const request = readSource(link, container, addresses, kept);
  const asked = { ...link.remote?.source, ...(request.is === "address" && request.said) };
  const filter = readFilter(asked.filter);
  if (request.is === "dynamic") {
    const name = makeDynamic(link);
    const wanted = { name, capability: null, from: null, subscription: null, isCopy: false };
    return receive(link, opening, { request: wanted, named: null, asked: { ...asked, address: name }, filter });
  }
  if (!rights.mayListen(request.source.name)) throw unauthorized("receive from", request.source.name);
  const name = scopedName(rights.tenant, request.source.name);
  const elsewhere = redirected(opening, name);
  if (elsewhere !== null) {
    link.refuse(elsewhere);
    return;
  }
  const { capability, subscription } = request.source;
  const far = upstreams.farOf(name);
  const open = (): undefined => {
    if (far !== null) return goOn(link, opening, { name, far, request, asked });
    const wanted = { ...request.source, name, selector: filter.selector };
    receive(link, opening, { request: wanted, named: request.named, asked, filter });
  };
  const isElsewhere = far !== null && far.isInner !== true;
  if (subscription === null || isElsewhere || siblings === undefined) return open();
  return siblings.claim({ key: subscription, tenant: rights.tenant }, name, capability).then(() => {
    if (link.state === "asked") open();
  });
}

/** Gives a peer what comes at an address here. */
function receive(
  link: Sender,
  { broker, limits, remote, container, peer, nowMs, refusals }: Opening,
  {
    request,
    named,
    asked,
    filter: { inForce, takes },
  }: {
    readonly request: SourceRequest;
    readonly named: NamedMember | null;
    readonly asked: Source;
    readonly filter: Filter;
  },
): undefined {
  link.context = new ReceiverLink(link, broker, request, {
    filter: takes,
    member: readMember({ link: link.remote?.properties, named, connection: remote?.properties, container }),
    isLocal: isOwnAddress(hostOfPeer(peer)),
    isPresettled: link.remote?.sndSettleMode === SENDER_SETTLES.settled,
    unsettledMax: limits.unsettled,
    nowMs,
    full: () => refusals.count("unsettled"),
  });
  const { filter: _, ...source } = asked;
  link.accept({ source: { ...source, ...(inForce !== null && { filter: inForce }) } });
}

/** Gives a peer what comes at an address of an upstream, or of another process. */
function goOn(
  link: Sender,
  { upstreams }: Opening,
  {
    name,
    far,
    request,
    asked,
  }: {
    readonly name: string;
    readonly far: FarAddress;
    readonly request: ReceiverRequest & { readonly is: "address" };
    readonly asked: Source;
  },
): undefined {
  // Where to begin in a topic is for whoever has it.
  const [, options = ""] = far.isInner === true ? (asked.address?.split("?", 2) ?? []) : [];
  const who = far.isInner === true ? textOfMember(request.named) : "";
  const address = `${far.address}${who}${options === "" ? "" : `?${options}`}`;
  link.context = upstreams.openReceiver(link, { name, source: asked }, { ...far, address });
}

/** As an address says it. */
const textOfMember = ({ instance, version }: NamedMember): string =>
  `${instance === null ? "" : `@${instance}`}${version === null ? "" : `(${version})`}`;

/** An IPv6 address of a socket has no brackets around it. */
const hostOfPeer = (peer: string): string => peer.slice(0, peer.lastIndexOf(":"));

const callerOf = ({ remote, container }: Opening): string => readCaller({ connection: remote?.properties, container });

/** Where the client goes itself, if it wants to. */
function redirected(opening: Opening, name: string): AmqpError | null {
  const isWanted = opening.remote?.desiredCapabilities?.includes(REDIRECT_CAPABILITY) === true;
  return isWanted ? (opening.redirect?.(name, callerOf(opening)) ?? null) : null;
}

const unauthorized = (what: string, where: string): Refused =>
  new Refused("amqp:unauthorized-access", `Cannot attach: this user has no right to ${what} ${where}`);
