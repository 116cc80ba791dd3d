import type { Socket } from "node:net";
import type { Duplex } from "node:stream";
import {
  type AmqpError,
  CONDITION,
  Connection,
  type ConnectionEnd,
  type ConnectionEvents,
  createSaslServer,
  type Fields,
  type IncomingDelivery,
  type LinkEnd,
  type OutgoingDelivery,
  type Receiver,
  type Sender,
  type Session,
} from "@datawire/amqp";
import { REDIRECT_CAPABILITY } from "@datawire/protocol";
import type { Clock, Logger } from "@datawire/runtime";
import type { ConnectionLimits } from "../config/limits.ts";
import type { Access } from "../access/access.ts";
import type { AddressContext } from "../address/address.ts";
import type { Broker } from "../engine/broker.ts";
import type { Siblings } from "../engine/durables.ts";
import { dynamicKind, ownerOf } from "./attach.ts";
import { type LinkReport, linkReports, reasonOf } from "./link-status.ts";
import type { Manage } from "./management-link.ts";
import { linkOf, openLink, type Opening, type Redirect } from "./open-link.ts";
import type { Refusals } from "../config/refusals.ts";
import { errorOf } from "./relay-link.ts";
import type { Temporaries } from "./temporaries.ts";
import { OWN_PROPERTIES } from "../upstream/far-connection.ts";
import type { UpstreamClient, Upstreams } from "../upstream/upstreams.ts";

/** What all connections share. */
export interface PeerDeps {
  readonly broker: Broker;
  readonly clock: Clock;
  readonly log: Logger;
  readonly temporaries: Temporaries;
  readonly addresses: AddressContext;
  readonly limits: ConnectionLimits;
  readonly manage: Manage;
  /** What the router calls itself. */
  readonly container: string;
  readonly access: Access;
  readonly refusals: Refusals;
  readonly upstreams: Pick<Upstreams, "client">;
  readonly redirect?: Redirect;
  readonly siblings?: Siblings;
}

/** What is not the same for all connections. */
export interface PeerOptions {
  readonly refusal?: string | null;
  readonly stream?: Duplex;
  readonly identity?: string | null;
}

/** One connection of a client. */
export class Peer implements ConnectionEvents {
  readonly #socket: Socket;
  /** Where the bytes of AMQP go: the socket, or what is spoken over it. */
  readonly #stream: Duplex;
  readonly #deps: PeerDeps;
  readonly #connection: Connection;
  /** Dynamic addresses of its links. */
  readonly #dynamic = new Map<Sender | Receiver, string>();
  #upstreams: UpstreamClient | null = null;
  #writes = false;
  #cancelTick: (() => void) | null = null;
  #waitsForDisk = false;
  #congested = false;
  readonly #refusal: string | null;
  readonly linkRefused = (error: AmqpError): void => this.#deps.refusals.note(error);

  /**
   * @param options.refusal why the peer is told that it may not stay; null where it may.
   * @param options.stream what carries AMQP over the socket, such as a WebSocket; default: the socket.
   * @param options.identity who it is, where that was proven before AMQP; default: SASL says it.
   */
  constructor(socket: Socket, deps: PeerDeps, { refusal = null, stream = socket, identity = null }: PeerOptions = {}) {
    this.#socket = socket;
    this.#stream = stream;
    this.#deps = deps;
    const { sessions, links, frameBytes } = deps.limits;
    this.#connection = new Connection(
      {
        role: "server",
        open: {
          containerId: deps.container,
          offeredCapabilities: ["ANONYMOUS-RELAY", REDIRECT_CAPABILITY],
          properties: OWN_PROPERTIES,
        },
        saslServer: identity === null ? deps.access.sasl(socket) : createSaslServer({ anonymous: identity }),
        saslRequired: identity === null && deps.access.isAsked,
        frameBytesMax: frameBytes,
        channelMax: sessions - 1,
        linksMax: links,
        boundNames: { frame: "limits.frame", sessions: "limits.sessions", links: "limits.links" },
      },
      this,
      this.#nowMs(),
    );
    this.#connection.identity = identity;
    this.#refusal = refusal;
    socket.setNoDelay(true);
    stream.on("data", (bytes: Uint8Array) => this.#receive(bytes));
    stream.on("drain", () => this.#drained());
    stream.on("error", (error) => deps.log.debug("Connection failed", { peer: this.address, error }));
    stream.on("close", () => {
      this.#cancelTick?.();
      this.#connection.disconnected();
      this.#upstreams?.close();
    });
    this.#tick();
  }

  /** Where it comes from. */
  get address(): string {
    return `${this.#socket.remoteAddress ?? "?"}:${this.#socket.remotePort ?? 0}`;
  }

  /** Whether it has opened its connection. */
  get isOpen(): boolean {
    return this.#connection.remote !== null;
  }

  /** What it calls itself. */
  get container(): string {
    return this.#connection.remote?.containerId ?? "";
  }

  /** Its links, as `dw link list --json` has them. */
  links(router: string): LinkReport[] {
    const peer = { router, container: this.container, peer: this.address, nowMs: this.#nowMs() };
    return linkReports(this.#connection, peer, linkOf);
  }

  /** Ends the connection: the router stops. */
  close(description: string): void {
    this.#connection.close({ condition: CONDITION.connectionForced, description });
  }

  /** Ends the connection of somebody whose rights have ended. */
  review(): void {
    const { identity } = this.#connection;
    if (identity === null || this.#deps.access.holds(identity)) return;
    const description = "Cannot go on: the token has ended, or was revoked";
    this.#connection.close({ condition: CONDITION.unauthorizedAccess, description });
  }

  /** Ends it at once. */
  destroy(): void {
    this.#stream.destroy();
  }

  get #opening(): Opening {
    const [{ remote, identity }, { container, address: peer }] = [this.#connection, this];
    this.#upstreams ??= this.#deps.upstreams.client({ container, ...remote }, this.#deps.limits.messageBytes);
    return {
      ...this.#deps,
      container,
      peer,
      remote,
      nowMs: () => this.#nowMs(),
      rights: this.#deps.access.rightsOf(identity),
      upstreams: this.#upstreams,
      makeDynamic: (link) => {
        const address = this.#deps.temporaries.take(ownerOf(this.container, link.name), dynamicKind(link));
        this.#dynamic.set(link, address);
        return address;
      },
    };
  }

  outputReady(): void {
    if (this.#writes) return;
    this.#writes = true;
    setImmediate(() => this.#write());
  }

  opened(): void {
    if (this.#refusal !== null) {
      this.#deps.refusals.count("connections");
      return this.#connection.close({ condition: CONDITION.resourceLimitExceeded, description: this.#refusal });
    }
    // What it said of its patience may be due earlier than what was due until now.
    this.#tick();
  }

  sessionBegan(): void {}

  sessionEnded(_session: Session, error: AmqpError | null): void {
    if (!this.#connection.done) this.#deps.refusals.note(error);
  }

  closed({ by, error }: ConnectionEnd): void {
    const { log } = this.#deps;
    if (by === "us") this.#deps.refusals.note(error);
    if (error !== null && by !== "transport") log.info("Connection ended", { peer: this.address, by, ...error });
  }

  linkAsked(link: Sender | Receiver): void {
    const refused = (error: unknown): void => {
      const refusal = errorOf(error);
      this.#deps.log.info("Link refused", { peer: this.address, link: link.name, ...refusal });
      link.refuse(refusal);
    };
    openLink(link, () => this.#opening, refused);
  }

  linkAttached(): void {}

  linkDetached(link: Sender | Receiver, { closed, error }: LinkEnd): void {
    if (!this.#connection.done) this.#deps.refusals.note(error);
    linkOf(link)?.detached(closed);
    link.context = null;
    const address = this.#dynamic.get(link);
    if (address === undefined) return;
    this.#dynamic.delete(link);
    this.#deps.temporaries.release(ownerOf(this.container, link.name), address, closed);
  }

  delivered(delivery: IncomingDelivery): void {
    delivery.atMs = this.#nowMs();
    linkOf(delivery.receiver)?.delivered?.(delivery);
  }

  settled(delivery: IncomingDelivery): void {
    linkOf(delivery.receiver)?.peerSettled?.(delivery);
  }

  linkAsks(link: Sender | Receiver): Fields | null {
    return reasonOf(linkOf(link));
  }

  senderFlow(receiver: Receiver): void {
    linkOf(receiver)?.peerFlow?.();
  }

  flow(sender: Sender): void {
    linkOf(sender)?.flow?.();
  }

  outcome(delivery: OutgoingDelivery): void {
    linkOf(delivery.sender)?.outcome?.(delivery);
  }

  #receive(bytes: Uint8Array): void {
    this.#connection.receive(bytes, this.#nowMs());
    if (this.#connection.done) this.outputReady();
    const { intake } = this.#deps.broker;
    if (!intake.isCongested || this.#waitsForDisk) return;
    // What is not read yet waits at its sender.
    this.#waitsForDisk = true;
    this.#stream.pause();
    intake.whenUncongested(() => {
      this.#waitsForDisk = false;
      this.#resume();
    });
  }

  #write(): void {
    this.#writes = false;
    if (this.#stream.destroyed) return;
    const bytes = this.#connection.takeOutput(this.#nowMs());
    if (bytes !== null && !this.#stream.write(bytes) && !this.#congested) {
      this.#congested = true;
      this.#connection.setCongested(true);
      this.#stream.pause();
    }
    if (this.#connection.done) this.#stream.end();
  }

  #drained(): void {
    if (!this.#congested) return;
    this.#congested = false;
    this.#connection.setCongested(false);
    this.#resume();
  }

  #resume(): void {
    if (!this.#congested && !this.#waitsForDisk) this.#stream.resume();
  }

  #tick(): void {
    this.#cancelTick?.();
    this.#cancelTick = null;
    const dueMs = this.#connection.tick(this.#nowMs());
    if (this.#connection.done) this.outputReady();
    if (dueMs === null || this.#stream.destroyed) return;
    this.#cancelTick = this.#deps.clock.setTimer(Math.max(1, dueMs - this.#nowMs()), () => this.#tick());
  }

  #nowMs(): number {
    return this.#deps.clock.monotonicMs();
  }
}
