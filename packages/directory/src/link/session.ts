import {
  FRAME_BYTES_MAX,
  type Hello,
  instanceKey,
  isMachineLocal,
  LINK_VERSIONS,
  ProtocolError,
  type ErrorCode,
  type RouterReport,
  type ServerMessage,
} from "@datawire/protocol";
import { type Clock, type Logger, VERSION } from "@datawire/runtime";
import { divideByRight, requireLink, requireRegistering } from "./rights.ts";
import { AccessStream, type RouterAccess } from "../feed/access-stream.ts";
import type { Permit } from "../access/gate.ts";
import type { Position } from "../feed/delta-log.ts";
import { readInstances, readMessage, type IncomingMessage } from "./read-message.ts";
import type { Socket } from "./socket.ts";
import type { ClientReport, LinkClient } from "./connected-clients.ts";
import type { SessionRegistry, Rival } from "./session-registry.ts";
import { ClientProblems } from "../problems/client-problems.ts";
import type { Certifier, CertifyRequest } from "../access/routers/certifier.ts";
import { Liveness, type LivenessConfig } from "./liveness.ts";
import { LogStream } from "./log-stream.ts";
import { type LinkEnvironments, Placement } from "./placement.ts";
import { Subscription } from "./subscription.ts";

/** Where a connection comes from. */
export interface Peer {
  readonly address: string;
  /** Whether it comes over loopback. */
  readonly local: boolean;
}

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

/** Whether `HOST:PORT` is of use on its own machine alone. */
const isOnLoopback = (at: string): boolean => isMachineLocal(at.replace(/:\d+$/, "").replace(/^\[|\]$/g, ""));

/** A client that has not said who it is after this long is cut. */
const HELLO_MS_MAX = 5_000;

/** WebSocket close codes (RFC 6455, section 7.4.1, and its registry at IANA). */
const CLOSE = { goingAway: 1001, protocol: 1002, policy: 1008, failed: 1011, again: 1012 } as const;

type Phase =
  | { readonly state: "greeting" }
  /** The table of the environment that the client is in is being opened. */
  | { readonly state: "opening" }
  /** Another connection has this id; whether that one is alive is being found out. */
  | { readonly state: "challenging" }
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
  #placement: Placement | null = null;
  #subscription: Subscription | null = null;
  #applied: Position | null = null;
  #router: RouterReport | null = null;
  #certifies = false;
  readonly #problems = new ClientProblems();
  readonly #logStream: LogStream;
  readonly #accessStream: AccessStream;

  constructor(config: LinkSessionConfig, deps: LinkSessionDeps) {
    this.#config = config;
    this.#deps = deps;
    this.#sessions = deps.sessions;
    const { socket, permit, sessions } = deps;
    // Logs are the tenant's, whichever environment the client is in.
    this.#logStream = new LogStream({ logs: sessions.logs, permit, socket, send: (message) => this.#send(message) });
    this.#accessStream = new AccessStream(deps.access ?? (() => null), (message) => this.#send(message));
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
    return { kind, name, id, version, zone: zone ?? null, ...since, router: this.#router };
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
      if (read.garbage || this.#phase.state === "greeting")
        return this.#refuse(read.code, read.message, CLOSE.protocol);
      return this.#error(read.code, read.message);
    }
    this.#answering(() => this.#take(read.message));
  }

  /** Does what a message asks for; what it asks in vain is told. */
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
    this.#sessions.faults.refused("unauthenticated");
    this.#refuse("unauthenticated", `Cannot go on with the link: ${ended}`, CLOSE.policy);
  }

  /** Called from time to time: pings, and cuts a client that is gone without a word. */
  tick(nowMs: number): void {
    this.#alone(() => this.#tick(nowMs));
  }

  #tick(nowMs: number): void {
    this.#review();
    if (this.#phase.state === "closed") return;
    if (this.#phase.state === "greeting" && nowMs - this.#connectedMs >= HELLO_MS_MAX)
      return this.#refuse("invalid_argument", "Cannot wait for hello any longer", CLOSE.policy);
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
    this.#send({ type: "draining", instances: [...instances] });
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
      this.#placement?.end();
      if (phase.state === "open") this.#sessions.leave(this, phase.hello);
    });
  }

  /** Does something for this client: what goes wrong there costs its link alone. */
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
        return this.#refuse("invalid_argument", `Cannot take ${message.type} before hello`, CLOSE.protocol);
      return this.#enter(message);
    }
    if (this.#phase.state !== "open")
      throw new ProtocolError("invalid_argument", `Cannot take ${message.type} before welcome`);
    const { hello } = this.#phase;
    switch (message.type) {
      case "hello":
        throw new ProtocolError("invalid_argument", "Cannot take a second hello on one link");
      case "register":
      case "update":
        return this.#registerIn(hello, message);
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
        return this.#takeRouter(hello, message);
      case "certify":
        return this.#certify(hello, message);
    }
  }

  #certify({ kind, name }: Hello, request: CertifyRequest): void {
    const { certifier = null, peer, permit } = this.#deps;
    if (kind !== "router" || certifier === null)
      throw new ProtocolError("permission_denied", `Cannot certify the ${kind} ${name}: only a router gets that`);
    if (this.#certifies) throw new ProtocolError("conflict", "Cannot certify: a certificate is on its way");
    this.#certifies = true;
    certifier(request, { from: peer.address, hosts: permit.grant.hosts ?? null })
      .then((answer) => {
        this.#certifies = false;
        if (this.#phase.state === "open") this.#send(answer);
      })
      .catch((error: unknown) => this.#fail(error));
  }

  #takeRouter({ kind, name }: Hello, report: RouterReport): void {
    if (kind !== "router")
      throw new ProtocolError("invalid_argument", `Cannot take the report of a router from the ${kind} ${name}`);
    const { local } = this.#deps.peer;
    const reach = (at: string | null): string | null => (at === null || local || !isOnLoopback(at) ? at : null);
    const { amqp, amqps, web, admin } = report.ports;
    // From elsewhere, loopback would be this machine's.
    const ports = { amqp: reach(amqp), amqps: reach(amqps), web: reach(web), admin: reach(admin) };
    this.#router = { ...report, ports };
  }

  /** Goes on in the environment that the client is in. */
  #enter(hello: Hello): void {
    const { environments } = this.#deps;
    if (hello.environment === undefined || environments === undefined) return this.#greet(hello);
    this.#phase = { state: "opening" };
    this.#placement = new Placement(environments, hello.environment);
    this.#placement
      .enter((sessions) => this.#alone(() => this.#move(sessions)))
      .then(
        (sessions) => {
          if (this.#phase.state !== "opening") return;
          this.#sessions = sessions;
          this.#alone(() => this.#greet(hello));
        },
        (error: unknown) => {
          if (this.#phase.state !== "opening") return;
          if (!(error instanceof ProtocolError)) return this.#fail(error);
          this.#refuse(error.code, error.message, CLOSE.policy, hello);
        },
      );
  }

  #greet(hello: Hello): void {
    const { min, max } = LINK_VERSIONS;
    if (hello.link.min > max || hello.link.max < min) {
      const message = `Cannot speak with ${hello.name}: it speaks versions ${hello.link.min} to ${hello.link.max} of the link, this directory ${min} to ${max}`;
      return this.#refuse("unsupported", message, CLOSE.protocol, hello);
    }
    try {
      requireLink(this.#deps.permit.grant, hello, this.#sessions.servicesOf(hello));
    } catch (error) {
      if (!(error instanceof ProtocolError)) throw error;
      this.#sessions.faults.refused(error.code);
      return this.#refuse(error.code, error.message, CLOSE.policy, hello);
    }
    const rival = this.#sessions.rivalOf(hello);
    if (rival === null) return this.#open(hello);
    this.#phase = { state: "challenging" };
    rival
      .challenge()
      .then((alive) => this.#challenged(hello, alive ? rival : null))
      .catch((error: unknown) => this.#fail(error));
  }

  #challenged(hello: Hello, rival: Pick<Rival, "name"> | null): void {
    if (this.#phase.state !== "challenging") return;
    if (rival === null) return this.#open(hello);
    const other = rival.name() ?? "another machine";
    const message = `Cannot accept the ${hello.kind} ${hello.name}: one on ${other} is connected with the same id; each needs one of its own, which a Watson keeps in its state folder`;
    this.#refuse("conflict", message, CLOSE.policy, hello);
  }

  /** The environment of this client is there now. */
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

  #open(hello: Hello): void {
    const sessions = this.#sessions;
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
    if (this.#phase.state === "open" && this.#phase.hello.kind === "router") this.#accessStream.tell();
  }

  #subscribe(wish: Hello["subscribe"]): void {
    if (wish === null) return;
    const { socket, clock } = this.#deps;
    const failed = (error: unknown): void => this.#fail(error);
    this.#subscription = Subscription.begin({ source: this.#sessions.publisher, socket, failed }, wish, clock.nowMs());
  }

  /** The first to register something in an environment makes it. */
  #registerIn(hello: Hello, message: Extract<IncomingMessage, { type: "register" | "update" }>): void {
    const placement = this.#placement;
    if (placement === null || !placement.isWaiting || message.instances.length === 0)
      return this.#register(hello, message);
    requireRegistering(this.#deps.permit.grant, hello);
    const register = (): void => {
      if (this.#phase.state === "open") this.#answering(() => this.#register(hello, message));
    };
    placement.make().then(
      () => this.#alone(register),
      (error: unknown) =>
        this.#alone(() =>
          this.#answering(() => {
            throw error;
          }),
        ),
    );
  }

  #register(hello: Hello, message: Extract<IncomingMessage, { type: "register" | "update" }>): void {
    requireRegistering(this.#deps.permit.grant, hello);
    const read = readInstances(message.instances);
    const { permitted: instances, forbidden } = divideByRight(read.instances, this.#deps.permit.grant);
    for (const { code } of forbidden) this.#sessions.faults.refused(code);
    const refused = [...read.refused, ...forbidden];
    const word = { instances, local: this.#deps.peer.local };
    const { refusals, tellsDraining } =
      message.type === "register"
        ? this.#sessions.register(hello, word)
        : this.#sessions.update(hello, {
            ...word,
            // What could not be read or may not be registered must not stay in use as it was described before.
            gone: [...message.gone, ...refused.map(({ instance }) => instance)],
          });
    const all = [...refused, ...refusals];
    const gone = message.type === "update" ? message.gone : [];
    const named = [...instances.map(instanceKey), ...gone];
    this.#problems.registered({ named, isWhole: message.type === "register" }, all);
    const answer = (): void => {
      if (this.#phase.state !== "open") return;
      this.#send({ type: "registered", seq: message.seq, refused: all });
      if (tellsDraining) this.sendDraining(this.#sessions.drainedOf(hello));
    };
    // Answered means known after a restart.
    this.#sessions
      .saved()
      .then(answer)
      .catch((error: unknown) => this.#fail(error));
  }

  #error(code: ErrorCode, message: string): void {
    this.#problems.messageRefused(code, message);
    this.#send({ type: "error", code, message, fatal: false });
  }

  /** Says why and closes; a client that tries again without a change is refused again. */
  #refuse(code: ErrorCode, message: string, close: number, hello?: Hello): void {
    this.#sessions.faults.turnedAway(
      { ...this.#name(), ...(hello && { kind: hello.kind, name: hello.name }) },
      { code, message },
    );
    this.#send({ type: "error", code, message, fatal: true });
    this.#deps.socket.close(close, code);
    this.closed();
  }

  #send(message: ServerMessage): void {
    // Answers are small and one to a request: who sends requests and reads no answers is cut.
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
