import {
  FRAME_BYTES_MAX,
  type Hello,
  LINK_VERSIONS,
  ProtocolError,
  type ErrorCode,
  type ServerMessage,
} from "@datawire/protocol";
import { type Clock, type Logger, VERSION } from "@datawire/runtime";
import type { Permit } from "../../access/gate.ts";
import type { Certifier } from "../../access/routers/certifier.ts";
import type { RouterAccess } from "../../feed/access-stream.ts";
import type { Position } from "../../feed/delta-log.ts";
import { ClientProblems } from "../../problems/client-problems.ts";
import type { ClientReport, LinkClient } from "../clients/connected-clients.ts";
import { Liveness, type LivenessConfig } from "./liveness.ts";
import { LogStream } from "./log-stream.ts";
import type { LinkEnvironments } from "./placement.ts";
import { type IncomingMessage, readMessage } from "./read-message.ts";
import type { SessionRegistry } from "../clients/session-registry.ts";
import type { Socket } from "./socket.ts";
import { Subscription } from "./subscription.ts";
import { CLOSE } from "./close-codes.ts";
import { Greeting, type Refusal } from "./greeting.ts";
import type { Peer } from "./peer.ts";
import { Registering } from "./registering.ts";
import { RouterSide } from "./router-side.ts";

/** What the sessions of a directory have in common. */
export interface LinkSessionConfig extends LivenessConfig {
  /** The directory's own address. */
  readonly directory: string;
}

interface LinkSessionDeps {
  readonly socket: Socket;
  readonly peer: Peer;
  readonly sessions: SessionRegistry;
  /** The other environments of the tenant; left out where there are none. */
  readonly environments?: LinkEnvironments;
  /** What let the client in. */
  readonly permit: Permit;
  /** Who may send and receive, for a router. */
  readonly access?: () => RouterAccess | null;
  /** Who signs certificates for routers; null for nobody. */
  readonly certifier?: Certifier | null;
  readonly clock: Clock;
  readonly log: Logger;
}

/** A client that has not said who it is after this long is cut. */
const HELLO_MS_MAX = 5_000;

type Phase =
  | { readonly state: "greeting" }
  /** Its hello is being looked at. */
  | { readonly state: "entering" }
  | { readonly state: "open"; readonly hello: Hello }
  | { readonly state: "closed" };

/** One connection of the link: from `hello` to its end. */
export class LinkSession implements LinkClient {
  readonly #config: LinkSessionConfig;
  readonly #deps: LinkSessionDeps;
  readonly #sinceMs: number;
  readonly #connectedMs: number;
  readonly #liveness: Liveness;
  #sessions: SessionRegistry;
  #phase: Phase = { state: "greeting" };
  #subscription: Subscription | null = null;
  #applied: Position | null = null;
  readonly #problems = new ClientProblems();
  readonly #logStream: LogStream;
  readonly #greeting: Greeting;
  readonly #registering: Registering;
  readonly #router: RouterSide;

  constructor(config: LinkSessionConfig, deps: LinkSessionDeps) {
    this.#config = config;
    this.#deps = deps;
    this.#sessions = deps.sessions;
    const { socket, permit, sessions } = deps;
    // Logs are the tenant's, whichever environment the client is in.
    this.#logStream = new LogStream({ logs: sessions.logs, permit, socket, send: (message) => this.#send(message) });
    const answers = {
      send: (message: ServerMessage): void => {
        if (this.#phase.state === "open") this.#send(message);
      },
      failed: (error: unknown): void => this.#fail(error),
    };
    this.#greeting = new Greeting(deps, {
      admitted: (hello, table) => this.#alone(() => this.#open(hello, table)),
      refused: (hello, refusal) => this.#refuse(refusal, hello),
      failed: answers.failed,
      moved: (table) => this.#alone(() => this.#move(table)),
    });
    this.#registering = new Registering({
      ...answers,
      permit,
      local: deps.peer.local,
      problems: this.#problems,
      sessions: () => this.#sessions,
      placement: () => this.#greeting.placement,
      answering: (work) =>
        this.#alone(() => {
          if (this.#phase.state === "open") this.#answering(work);
        }),
    });
    const { peer, access = () => null, certifier = null } = deps;
    this.#router = new RouterSide({ ...answers, peer, permit, access, certifier });
    this.#sinceMs = deps.clock.nowMs();
    this.#connectedMs = deps.clock.monotonicMs();
    this.#liveness = new Liveness(config, { clock: deps.clock, ping: () => deps.socket.ping() });
  }

  /** What the client is; null until it has said so. */
  report(): ClientReport | null {
    if (this.#phase.state !== "open") return null;
    const { kind, name, id, version, zone } = this.#phase.hello;
    const position = this.#applied ?? this.#subscription?.position ?? null;
    const since = { sinceMs: this.#sinceMs, position, problems: this.#problems.list() };
    return { kind, name, id, version, zone: zone ?? null, ...since, router: this.#router.report };
  }

  /** Something came, if only an answer to a ping. */
  heard(): void {
    this.#liveness.heard();
  }

  /** Says whether the connection is read; while it is not, its silence says nothing. */
  listen(listens: boolean): void {
    this.#liveness.listen(listens);
  }

  /** Takes one frame. Whatever goes wrong with it ends this link, and nothing else. */
  receive(text: string): void {
    this.#alone(() => this.#receive(text));
  }

  #receive(text: string): void {
    this.heard();
    if (this.#phase.state === "closed") return;
    const read = readMessage(text);
    if (read.state === "refused") {
      this.#sessions.faults.refused(read.code);
      if (read.garbage || this.#phase.state === "greeting") return this.#refuse({ ...read, close: CLOSE.protocol });
      return this.#error(read.code, read.message);
    }
    this.#answering(() => this.#take(read.message));
  }

  /** Does what a message asks for; a refusal is answered with an error. */
  #answering(work: () => void): void {
    try {
      work();
    } catch (error) {
      if (!(error instanceof ProtocolError)) throw error;
      this.#sessions.faults.refused(error.code);
      this.#error(error.code, error.message);
    }
  }

  /** Cuts a client whose permit no longer holds. */
  review(): void {
    this.#alone(() => this.#review());
  }

  #review(): void {
    const ended = this.#deps.permit.ended();
    if (this.#phase.state === "closed") return;
    if (ended === null) return this.#tellAccess();
    const code = "unauthenticated";
    this.#sessions.faults.refused(code);
    this.#refuse({ code, message: `Cannot go on with the link: ${ended}`, close: CLOSE.policy });
  }

  /** Called from time to time: pings, and cuts a client that is gone without a word. */
  tick(nowMs: number): void {
    this.#alone(() => this.#tick(nowMs));
  }

  #tick(nowMs: number): void {
    this.#review();
    if (this.#phase.state === "closed") return;
    if (this.#phase.state === "greeting" && nowMs - this.#connectedMs >= HELLO_MS_MAX)
      return this.#refuse(misplaced("Cannot wait for hello any longer", CLOSE.policy));
    const silentMs = this.#liveness.tick(nowMs);
    if (silentMs === null) return;
    this.#deps.log.info("Client is silent, cutting its link", { ...this.#name(), silentMs: Math.round(silentMs) });
    this.#deps.socket.terminate();
  }

  /**
   * Another connection claims this one's id. Resolves to true when this client is alive; one that is not is cut, since
   * its machine has lost this connection and opened the other.
   */
  challenge(): Promise<boolean> {
    if (this.#phase.state === "closed") return Promise.resolve(false);
    return this.#liveness.challenge(() => {
      this.#deps.socket.terminate();
      this.closed();
    });
  }

  /** Tells a Watson which of its instances operators have drained. */
  sendDraining(instances: readonly string[]): void {
    this.#registering.tellDraining(instances);
  }

  /** Cuts the link, so that the client connects again and states what it has. */
  restate(reason: string): void {
    if (this.#phase.state === "closed") return;
    this.#deps.socket.close(CLOSE.again, reason);
    this.closed();
  }

  /** Closes the link because the directory stops. */
  leave(): void {
    if (this.#phase.state === "closed") return;
    this.#deps.socket.close(CLOSE.goingAway, "the directory is stopping");
  }

  /** Ends the connection without a word. */
  cut(): void {
    this.#deps.socket.terminate();
  }

  /** The client has closed the link, as it failed at what it was sent. */
  abandoned(): void {
    if (this.#phase.state === "open") this.#sessions.faults.abandoned(this.#name());
  }

  /** The connection has ended. */
  closed(): void {
    const phase = this.#phase;
    if (phase.state === "closed") return;
    this.#phase = { state: "closed" };
    this.#liveness.end();
    this.#alone(() => {
      this.#subscription?.end();
      this.#logStream.end();
      this.#greeting.end();
      if (phase.state === "open") this.#sessions.leave(this, phase.hello);
    });
  }

  /** Runs work for this client; whatever goes wrong with it ends this link alone. */
  #alone(work: () => void): void {
    try {
      work();
    } catch (error) {
      this.#fail(error);
    }
  }

  /** The client may come again: it is the directory that failed. */
  #fail(error: unknown): void {
    this.#sessions.faults.failed(this.#name(), error);
    if (this.#phase.state === "closed") return;
    this.#error("internal", "Cannot go on with the link: the directory failed at it; its log says how");
    this.#deps.socket.close(CLOSE.failed, "internal");
    this.closed();
  }

  #take(message: IncomingMessage): void {
    if (this.#phase.state === "greeting") {
      if (message.type !== "hello")
        return this.#refuse(misplaced(`Cannot take ${message.type} before hello`, CLOSE.protocol));
      this.#phase = { state: "entering" };
      return this.#greeting.begin(message);
    }
    if (this.#phase.state !== "open")
      throw new ProtocolError("invalid_argument", `Cannot take ${message.type} before welcome`);
    const { hello } = this.#phase;
    switch (message.type) {
      case "hello":
        throw new ProtocolError("invalid_argument", "Cannot take a second hello on one link");
      case "register":
      case "update":
        return this.#registering.take(hello, message);
      case "applied":
        this.#applied = { epoch: message.epoch, revision: message.revision };
        return this.#problems.report(message.problems);
      case "problems":
        return this.#problems.report(message.problems);
      case "counters":
        return this.#sessions.count(hello, message);
      case "logs":
        return this.#logStream.take(message, hello);
      case "followLogs":
        return this.#logStream.follow(message);
      case "router":
        return this.#router.take(hello, message);
      case "certify":
        return this.#router.certify(hello, message);
    }
  }

  /** The environment of this client has been made. */
  #move(sessions: SessionRegistry): void {
    const before = this.#sessions;
    this.#sessions = sessions;
    if (this.#phase.state !== "open") return;
    const { hello } = this.#phase;
    before.leave(this, hello);
    this.#subscription?.end();
    sessions.enter(this, hello);
    this.#subscribe(hello.subscribe && { ...hello.subscribe, have: null });
  }

  #open(hello: Hello, sessions: SessionRegistry): void {
    this.#sessions = sessions;
    const { leaseMs, heartbeatMs, directory } = this.#config;
    this.#phase = { state: "open", hello };
    const link = Math.min(hello.link.max, LINK_VERSIONS.max);
    const sessionKey = sessions.sessionKeyFor(hello) ?? undefined;
    this.#send({ type: "welcome", link, directory, version: VERSION, heartbeatMs, leaseMs, sessionKey });
    sessions.enter(this, hello);
    this.#tellAccess();
    this.#subscribe(hello.subscribe);
  }

  #tellAccess(): void {
    if (this.#phase.state === "open") this.#router.tellAccess(this.#phase.hello);
  }

  #subscribe(wish: Hello["subscribe"]): void {
    if (wish === null) return;
    const { socket, clock } = this.#deps;
    const failed = (error: unknown): void => this.#fail(error);
    this.#subscription = Subscription.begin({ source: this.#sessions.publisher, socket, failed }, wish, clock.nowMs());
  }

  #error(code: ErrorCode, message: string): void {
    this.#problems.messageRefused(code, message);
    this.#send({ type: "error", code, message, fatal: false });
  }

  /** Says why and closes; a client that tries again without a change is refused again. */
  #refuse({ code, message, close }: Refusal, hello?: Hello): void {
    this.#sessions.faults.turnedAway(
      { ...this.#name(), ...(hello && { kind: hello.kind, name: hello.name }) },
      { code, message },
    );
    this.#send({ type: "error", code, message, fatal: true });
    this.#deps.socket.close(close, code);
    this.closed();
  }

  #send(message: ServerMessage): void {
    // Answers are small, one for each request, so that only a client that does not read them gets here; it is cut.
    if (this.#deps.socket.bufferedBytes > 4 * FRAME_BYTES_MAX) return this.#deps.socket.terminate();
    this.#deps.socket.send(JSON.stringify(message));
  }

  #name() {
    const peer = this.#deps.peer.address;
    return this.#phase.state === "open"
      ? { kind: this.#phase.hello.kind, name: this.#phase.hello.name, peer }
      : { peer };
  }
}

const misplaced = (message: string, close: number): Refusal => ({ code: "invalid_argument", message, close });
