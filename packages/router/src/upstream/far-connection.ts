import { randomBytes } from "node:crypto";
import { connect, isIP, type Socket } from "node:net";
import { connect as connectTls } from "node:tls";
import {
  anonymousClient,
  Connection,
  type ConnectionEnd,
  type ConnectionEvents,
  type Fields,
  type IncomingDelivery,
  type LinkEnd,
  type Open,
  type OutgoingDelivery,
  plainClient,
  type Receiver,
  type SaslClient,
  scramClient,
  type Sender,
  type Session,
} from "@datawire/amqp";
import { type Clock, describeError, VERSION } from "@datawire/runtime";
import type { UpstreamSettings } from "../config/upstream-settings.ts";
import { type Profile, profileOf } from "./profile.ts";

/** What the router says of itself. */
export const OWN_PROPERTIES: Fields = new Map([
  ["product", "datawire-router"],
  ["version", VERSION],
]);
/** How long a broker has until it is talked to. */
const CONNECT_MS_MAX = 5_000;

/** Whoever has a link at an upstream. */
export interface FarEnd {
  farAttached(): void;
  /** @param isLost the connection is gone; otherwise the upstream has ended the link or its session. */
  farDetached(end: LinkEnd, isLost: boolean): void;
  farFlow(): void;
  farOutcome(delivery: OutgoingDelivery): void;
  farDelivered(delivery: IncomingDelivery): void;
  farSettled(delivery: IncomingDelivery): void;
  farSenderFlow(): void;
}

/** The client at the other end, in its own words. */
export interface FarClient {
  /** What it calls itself: its durable subscriptions are known by that. */
  readonly container: string;
  /** What it says of itself, such as its version; for processes of this router alone. */
  readonly properties?: Fields;
}

/** What a connection to an upstream is opened with. */
export interface FarOptions {
  readonly upstream: UpstreamSettings;
  readonly who: FarClient;
  readonly clock: Clock;
  readonly signal: AbortSignal;
  /** Whether nothing is said of who comes. Default: false. */
  readonly isWithoutSasl?: boolean;
}

/** A connection to an upstream. */
export class FarConnection implements ConnectionEvents {
  readonly connection: Connection;
  /** Resolves when it is gone. */
  readonly gone: Promise<void>;
  /** What the upstream is; null until it has opened. */
  profile: Profile | null = null;
  readonly #socket: Socket;
  readonly #clock: Clock;
  readonly #opened: (error: Error | null) => void;
  #writes = false;
  #cancelTick: (() => void) | null = null;

  private constructor(socket: Socket, options: FarOptions, opened: (error: Error | null) => void) {
    const { upstream, who, clock, isWithoutSasl = false } = options;
    this.#socket = socket;
    this.#clock = clock;
    this.#opened = opened;
    this.gone = new Promise((resolve) => {
      socket.once("close", () => {
        this.#cancelTick?.();
        this.connection.disconnected();
        resolve();
      });
    });
    this.connection = new Connection(
      {
        role: "client",
        open: {
          containerId: who.container,
          hostname: upstream.vhost === null ? upstream.host : `vhost:${upstream.vhost}`,
          properties: upstream.path === undefined ? OWN_PROPERTIES : (who.properties ?? new Map()),
        },
        ...(!isWithoutSasl && { saslClients: mechanismsOf(upstream) }),
        saslHostname: upstream.host,
      },
      this,
      this.#nowMs(),
    );
    socket.setNoDelay(true);
    socket.on("data", (bytes) => {
      this.connection.receive(bytes, this.#nowMs());
      if (this.connection.done) this.outputReady();
    });
    socket.on("drain", () => this.connection.setCongested(false));
    this.connection.start();
    this.#tick();
  }

  /**
   * Connects, and resolves when both sides have opened.
   * @throws Error that says why it cannot be talked to.
   */
  static async open(options: FarOptions): Promise<FarConnection> {
    const socket = await openSocket(options);
    return new Promise((resolve, reject) => {
      const far: FarConnection = new FarConnection(socket, options, (error) =>
        error === null ? resolve(far) : reject(error),
      );
    });
  }

  /** Begins a session for one link, which shares nothing with others: some brokers end it where they refuse a link. */
  begin(): Session {
    return this.connection.begin();
  }

  /** Ends it; links that are kept by name stay so. */
  close(): void {
    this.connection.close();
  }

  /** Reads nothing more until it is resumed. */
  pause(): void {
    this.#socket.pause();
  }

  resume(): void {
    this.#socket.resume();
  }

  outputReady(): void {
    if (this.#writes) return;
    this.#writes = true;
    setImmediate(() => this.#write());
  }

  opened(open: Open): void {
    this.profile = profileOf(open);
    this.#tick();
    this.#opened(null);
  }

  closed({ error }: ConnectionEnd): void {
    // Where it had opened, those who have links have heard of it.
    const why = error === null ? "it closed the connection" : (error.description ?? error.condition);
    this.#opened(new Error(why));
  }

  sessionBegan(): void {}

  sessionEnded(): void {}

  linkAsked(link: Sender | Receiver): void {
    link.refuse({ condition: "amqp:not-allowed", description: "Cannot attach: this end takes no links" });
  }

  linkAttached(link: Sender | Receiver): void {
    // A refusal is told by the detach that follows.
    if (!link.refused) endOf(link)?.farAttached();
  }

  linkDetached(link: Sender | Receiver, end: LinkEnd): void {
    const mine = endOf(link);
    link.context = null;
    mine?.farDetached(end, this.connection.done);
  }

  flow(sender: Sender): void {
    endOf(sender)?.farFlow();
  }

  outcome(delivery: OutgoingDelivery): void {
    endOf(delivery.sender)?.farOutcome(delivery);
  }

  delivered(delivery: IncomingDelivery): void {
    endOf(delivery.receiver)?.farDelivered(delivery);
  }

  settled(delivery: IncomingDelivery): void {
    endOf(delivery.receiver)?.farSettled(delivery);
  }

  senderFlow(receiver: Receiver): void {
    endOf(receiver)?.farSenderFlow();
  }

  #write(): void {
    this.#writes = false;
    if (this.#socket.destroyed) return;
    const bytes = this.connection.takeOutput(this.#nowMs());
    if (bytes !== null && !this.#socket.write(bytes)) this.connection.setCongested(true);
    if (this.connection.done) this.#socket.destroySoon();
  }

  #tick(): void {
    this.#cancelTick?.();
    this.#cancelTick = null;
    const dueMs = this.connection.tick(this.#nowMs());
    if (this.connection.done) this.outputReady();
    if (dueMs === null || this.#socket.destroyed) return;
    this.#cancelTick = this.#clock.setTimer(Math.max(1, dueMs - this.#nowMs()), () => this.#tick());
  }

  #nowMs(): number {
    return this.#clock.monotonicMs();
  }
}

const endOf = (link: Sender | Receiver): FarEnd | null => link.context as FarEnd | null;

/** The best first; a password goes only to a broker that has nothing better than PLAIN. */
function mechanismsOf({ user, password }: UpstreamSettings): SaslClient[] {
  if (user === null || password === null) return [anonymousClient()];
  return [scramClient(user, password, randomBytes(24).toString("base64url")), plainClient(user, password)];
}

/** @throws Error that says why it cannot be reached. */
function openSocket({ upstream: { host, port, isTls, ca, path }, clock, signal }: FarOptions): Promise<Socket> {
  const trusted = ca === null ? {} : { ca };
  const named = isIP(host) === 0 ? { servername: host } : {};
  const plain = (): Socket => connect(path === undefined ? { host, port } : { path });
  const socket = isTls ? connectTls({ host, port, ...named, ...trusted }) : plain();
  return new Promise((resolve, reject) => {
    const fail = (why: string): void => {
      done();
      socket.on("error", () => {}); // what it says after it was given up
      socket.destroy();
      reject(new Error(why));
    };
    const failed = (error: Error): void => fail(describeError(error));
    const stop = (): void => fail("the router stops");
    const cancel = clock.setTimer(CONNECT_MS_MAX, () => fail(`it does not answer for ${CONNECT_MS_MAX} ms`));
    const done = (): void => {
      cancel();
      signal.removeEventListener("abort", stop);
      socket.off("error", failed);
    };
    socket.once("error", failed);
    if (signal.aborted) return stop();
    signal.addEventListener("abort", stop, { once: true });
    socket.once(isTls ? "secureConnect" : "connect", () => {
      done();
      socket.on("error", () => {}); // `close` follows
      resolve(socket);
    });
  });
}
