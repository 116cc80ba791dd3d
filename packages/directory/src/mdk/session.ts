import { isName } from "@datawire/protocol";
import { type Clock, describeError, type Logger } from "@datawire/runtime";
import type { Permit } from "../access/gate.ts";
import { Liveness } from "../link/session/liveness.ts";
import { mayRegister } from "../link/clients/rights.ts";
import type { Peer } from "../link/session/peer.ts";
import type { Socket } from "../link/session/socket.ts";
import type { Logs } from "../traces/logs.ts";
import { type LeftOutNode, LeftOutNodes } from "./left-out-nodes.ts";
import { Outbox } from "./outbox.ts";
import type { Announcer, Relay } from "./relay.ts";
import {
  frames,
  MDK_PROTOCOL_VERSION,
  type MdkEnvironment,
  type MdkMessage,
  type MdkNode,
  readMdkMessage,
} from "./wire.ts";
import type { World } from "./world.ts";

/** What is counted of originals. */
export interface MdkCounts {
  /** How many are connected. */
  connected(count: number): void;
  /** A frame that could not be read, or a node that no original could take in. */
  dropped(): void;
  /** How a call went, as an original says it; once for each. */
  interaction(success: boolean): void;
}

interface MdkSessionDeps {
  readonly socket: Socket;
  readonly peer: Peer;
  readonly permit: Permit;
  readonly relay: Relay;
  readonly logs: Logs;
  readonly interactions: { isNew(uuid: string): boolean };
  readonly counts: MdkCounts;
  /** Told what the directory itself failed at, and how. */
  readonly failed: (subject: string, error: unknown) => void;
  readonly clock: Clock;
  readonly log: Logger;
}

/** What an original is, for `dw status` and `dw caller list`. */
export interface MdkReport {
  /** As the process calls itself; null before it has. */
  readonly nodeId: string | null;
  readonly version: string;
  readonly sinceMs: number;
  /** Nodes of this client that are not registered, each with the reason. */
  readonly leftOut: readonly LeftOutNode[];
}

const MAJOR = majorOf(MDK_PROTOCOL_VERSION);
/** An original pings nobody and is pinged this often. One that answers none for the longer time is gone. */
const LIVENESS = { heartbeatMs: 5_000, leaseMs: 45_000 } as const;
/** What waits while the table of an environment is being opened. */
const INBOX_MAX = 10_000;
/** One that speaks another version is given so long to leave; closed at once, it would be back within a second. */
const LEAVE_MS = 15_000;

/** WebSocket close codes (RFC 6455, section 7.4.1). */
const CLOSE = { goingAway: 1001, policy: 1008, failed: 1011 } as const;

/** One connection of an original MDK client. */
export class MdkSession {
  readonly #deps: MdkSessionDeps;
  readonly #liveness: Liveness;
  readonly #outbox: Outbox;
  readonly #sinceMs: number;
  readonly #leftOut: LeftOutNodes;
  readonly #ending: (() => void)[] = [];
  #announcer: Announcer;
  #nodeId: string | null = null;
  #environment: MdkEnvironment | null = null;
  #inbox: MdkMessage[] = [];
  #state: "open" | "opening" | "refused" | "closed" = "open";
  #isTold = false;
  #followsLogs = false;

  constructor(deps: MdkSessionDeps) {
    this.#deps = deps;
    const { clock, socket, relay, peer } = deps;
    this.#sinceMs = clock.nowMs();
    this.#leftOut = new LeftOutNodes(relay.environment);
    this.#announcer = { nodeId: "", version: "", local: peer.local };
    this.#liveness = new Liveness(LIVENESS, { clock, ping: () => socket.ping() });
    this.#outbox = new Outbox({
      socket,
      clock,
      whole: () => relay.announcements.whole(() => clock.monotonicMs()),
    });
  }

  report(): MdkReport {
    const leftOut = this.#leftOut.list();
    return { nodeId: this.#nodeId, version: this.#announcer.version, sinceMs: this.#sinceMs, leftOut };
  }

  /** A ping was answered. */
  ponged(): void {
    this.#liveness.heard();
    this.#alone(() => this.#outbox.answered());
  }

  /** Something came. */
  heard(): void {
    this.#liveness.heard();
  }

  /** Says whether the connection is read; while it is not, its silence says nothing. */
  listen(listens: boolean): void {
    this.#liveness.listen(listens);
  }

  /** Takes one frame. Whatever goes wrong with it ends this connection, and nothing else. */
  receive(text: string): void {
    this.heard();
    this.#alone(() => {
      const read = readMdkMessage(text);
      if (read.state === "malformed") {
        this.#deps.counts.dropped();
        this.#deps.log.debug("Frame of an original left out", { peer: this.#deps.peer.address, why: read.why });
      }
      if (read.state !== "read" || this.#state === "refused" || this.#state === "closed") return;
      this.#inbox.push(read.message);
      if (this.#inbox.length > INBOX_MAX) return this.#deps.socket.terminate();
      this.#drain();
    });
  }

  /** Ends the connection of one whose permit no longer holds. */
  review(): void {
    const ended = this.#deps.permit.ended();
    if (ended === null || this.#state === "closed") return;
    this.#deps.log.info("Original refused", { peer: this.#deps.peer.address, reason: ended });
    this.#deps.socket.close(CLOSE.policy, "unauthenticated");
    this.closed();
  }

  /** Called from time to time: pings, and cuts one that is gone without a word. */
  tick(nowMs: number): void {
    this.#alone(() => {
      this.review();
      if (this.#state !== "closed" && this.#liveness.tick(nowMs) !== null) this.#deps.socket.terminate();
    });
  }

  /** The directory stops. */
  leave(): void {
    if (this.#state !== "closed") this.#deps.socket.close(CLOSE.goingAway, "the directory is stopping");
  }

  /** The connection has ended. */
  closed(): void {
    if (this.#state === "closed") return;
    this.#state = "closed";
    this.#liveness.end();
    this.#outbox.end();
    this.#inbox = [];
    for (const end of this.#ending.splice(0)) end();
    this.#alone(() => this.#deps.relay.left(this.#announcer));
  }

  #drain(): void {
    while (this.#state === "open") {
      const message = this.#inbox.shift();
      if (message === undefined) return;
      const environment = this.#environmentOf(message);
      const isNamed = environment !== null && isName(environment);
      const world = isNamed ? this.#deps.relay.world(environment) : null;
      // Only what is registered makes an environment.
      if (world === null && isNamed && message.type === "active") return this.#openFor(environment, message);
      this.#take(message, world);
    }
  }

  /** The environment whose table a message is about; null for one that is about none. */
  #environmentOf(message: MdkMessage): string | null {
    if (message.type !== "active" && message.type !== "expire") return null;
    return (message.node.environment ?? this.#environment)?.name ?? this.#deps.relay.environment;
  }

  #openFor(environment: string, message: MdkMessage): void {
    this.#state = "opening";
    const go = (world: World | null, why: string | null): void => {
      if (this.#state !== "opening") return;
      this.#state = "open";
      this.#alone(() => {
        if (why !== null && message.type === "active") this.#leaveOut(message.node, why);
        else this.#take(message, world);
        this.#drain();
      });
    };
    this.#deps.relay.open(environment).then(
      (world) => go(world, null),
      (error: unknown) => go(null, describeError(error)),
    );
  }

  #take(message: MdkMessage, world: World | null): void {
    switch (message.type) {
      case "open":
        return this.#open(message);
      case "active":
        return this.#active(message.node, { ttlMs: message.ttlMs, world });
      case "expire":
        this.#leftOut.settle(message.node);
        return this.#deps.relay.expire(this.#announcer, this.#placed(message.node), world);
      case "log":
        return this.#log(message);
      case "subscribe":
        return this.#subscribe();
      case "interactionevent":
        if (this.#deps.interactions.isNew(message.uuid))
          for (const result of Object.values(message.results))
            this.#deps.counts.interaction(result === 1 || result === true);
        return this.#outbox.now(frames.interactionack(message.sequence));
    }
  }

  #open({ version, mdkVersion, nodeId, environment }: Extract<MdkMessage, { type: "open" }>): void {
    const { relay, log, peer, clock, socket } = this.#deps;
    if (version !== "" && majorOf(version) !== MAJOR) {
      const detail = `This directory speaks ${MDK_PROTOCOL_VERSION}, not ${version.slice(0, 100)}`;
      log.warn("Original refused", { peer: peer.address, reason: detail });
      this.#outbox.now(frames.close("VERSION_MISMATCH", { title: "Version mismatch", detail, id: nodeId ?? "" }));
      this.#state = "refused";
      this.#ending.push(clock.setTimer(LEAVE_MS, () => socket.close(CLOSE.policy, "VERSION_MISMATCH")));
      return;
    }
    this.#nodeId = nodeId;
    this.#environment = environment;
    Object.assign(this.#announcer, { nodeId: nodeId ?? "", version: mdkVersion });
    log.info("Original connected", { peer: peer.address, node: nodeId, version: mdkVersion });
    this.#outbox.now(frames.open(environment?.name ?? relay.environment));
    this.#outbox.now(frames.clear);
    if (!this.#isTold) this.#ending.push(relay.announcements.listen(this.#outbox));
    this.#isTold = true;
    this.#outbox.begin();
  }

  #active(node: MdkNode, { ttlMs, world }: { readonly ttlMs: number; readonly world: World | null }): void {
    const placed = this.#placed(node);
    if (!mayRegister(this.#deps.permit.grant, node.service))
      return this.#leaveOut(placed, `its token may not register ${node.service}`);
    const taken = this.#deps.relay.active(this.#announcer, placed, { world, ttlMs });
    if (taken.state === "dropped") this.#deps.counts.dropped();
    else if (taken.state === "leftOut") this.#leaveOut(placed, taken.why);
    else this.#leftOut.settle(placed);
  }

  #leaveOut(node: MdkNode, message: string): void {
    if (!this.#leftOut.add(node, message)) return;
    const { service, address } = node;
    this.#deps.log.warn("Node left out", { peer: this.#deps.peer.address, service, address, reason: message });
  }

  #log({ sequence, event }: Extract<MdkMessage, { type: "log" }>): void {
    const name = event.environment?.name ?? this.#environment?.name;
    const environment = name !== undefined && isName(name) ? name : this.#deps.relay.environment;
    const keeping = this.#deps.logs.keep(sequence, { ...event, clock: [...event.clock], environment, service: null });
    // What is not acknowledged comes again with the next connection.
    void keeping.then((kept) => kept && this.#outbox.now(frames.logack(sequence)));
  }

  #subscribe(): void {
    if (this.#followsLogs) return;
    this.#followsLogs = true;
    const filter = { trace: null, level: "DEBUG" } as const;
    this.#ending.push(this.#deps.logs.follow(filter, (event) => void this.#outbox.log(frames.log(event))));
  }

  /** A node in the environment that it is in. */
  #placed(node: MdkNode): MdkNode {
    return node.environment === null && this.#environment !== null ? { ...node, environment: this.#environment } : node;
  }

  /** Does something for this original: what goes wrong there costs its connection alone. */
  #alone(work: () => void): void {
    try {
      work();
    } catch (error) {
      this.#deps.failed(`MDK client at ${this.#deps.peer.address}`, error);
      this.#deps.socket.close(CLOSE.failed, "internal");
      this.closed();
    }
  }
}

function majorOf(version: string): string {
  return version.split(".", 1)[0] as string;
}
