import {
  type ClientMessage,
  type DirectoryAddress,
  type ErrorCode,
  formatDirectoryAddress,
  FRAME_BYTES_MAX,
  type Hello,
  LINK_VERSIONS,
} from "@datawire/protocol";
import { type Clock, describeError, type Logger, type ProblemBoard } from "@datawire/runtime";
import type { Connect, Connection } from "../transport/connection.ts";
import { readServerMessage, type ReceivedMessage } from "../core/read-message.ts";
import type { TlsSettings } from "../credentials/tls.ts";
import type { LinkHandler, LinkIdentity, Subscription, Welcome } from "./link-handler.ts";

/** What one session is opened with. */
export interface SessionConfig {
  readonly replica: DirectoryAddress;
  readonly identity: LinkIdentity;
  readonly token: string | null;
  readonly tls: TlsSettings | null;
  readonly subscribe: Subscription | null;
  /** How long it may take, from the first packet to the `welcome`. */
  readonly attemptMsMax: number;
}

/** What one session works with. */
export interface SessionDeps {
  /** Counts time in which this program attended to what came. */
  readonly clock: Clock;
  readonly log: Logger;
  readonly handler: LinkHandler;
  readonly connect: Connect;
  /** What an operator should see of this program. */
  readonly board?: Pick<ProblemBoard, "set"> | undefined;
  /** Called just before the handler's `connected`. */
  readonly onConnected: (welcome: Welcome) => void;
}

/** Why a session is over. */
export interface SessionEnd {
  /**
   * `refused` is an answer that only a person can change, and `denied` the one of those that wants a token, or another
   * one; `failed` never held; `lost` did; `stopped` is our own wish.
   */
  readonly kind: "refused" | "denied" | "failed" | "lost" | "stopped";
  readonly reason: string;
  /** What the directory calls its refusal, where it said so. */
  readonly code?: ErrorCode;
}

/** A server may be busy for a moment; two pings that failed to come are no moment. */
const SILENT_HEARTBEATS_MAX = 2.5;
/** A link that ends sooner has not held, or one that ends at once would be opened again at once, for ever. */
const STABLE_MS = 5_000;
/** How long a good-bye may take. */
const CLOSE_MS_MAX = 1_000;
/** What may wait to leave: two of the largest messages and some more. */
const BUFFERED_BYTES_MAX = 4 * FRAME_BYTES_MAX;

/** RFC 6455, section 7.4.1, and its registry at IANA. */
const INTERNAL_ERROR = 1011;

const DENIALS: ReadonlySet<ErrorCode> = new Set(["unauthenticated", "permission_denied"]);

/** Opens one link and serves it to its end, which the signal may bring about. */
export function runSession(config: SessionConfig, deps: SessionDeps, signal: AbortSignal): Promise<SessionEnd> {
  return new Promise((resolve) => {
    const session = new Session(config, deps, (end) => {
      signal.removeEventListener("abort", stop);
      resolve(end);
    });
    const stop = (): void => session.stop();
    if (signal.aborted) stop();
    else signal.addEventListener("abort", stop, { once: true });
  });
}

type Phase =
  | { readonly state: "opening" }
  | { readonly state: "established"; readonly welcome: Welcome; readonly sinceMs: number; readonly silentMsMax: number }
  | { readonly state: "closing" }
  | { readonly state: "ended" };

class Session {
  readonly #config: SessionConfig;
  readonly #deps: SessionDeps;
  readonly #resolve: (end: SessionEnd) => void;
  readonly #connection: Connection;
  #phase: Phase = { state: "opening" };
  #heardMs: number;
  #cancelTimer: () => void;

  constructor(config: SessionConfig, deps: SessionDeps, resolve: (end: SessionEnd) => void) {
    this.#config = config;
    this.#deps = deps;
    this.#resolve = resolve;
    this.#heardMs = deps.clock.monotonicMs();
    this.#cancelTimer = deps.clock.setTimer(config.attemptMsMax, () =>
      this.#breakOff("failed", `no answer within ${config.attemptMsMax / 1000} s`),
    );
    this.#connection = deps.connect(
      { replica: config.replica, token: config.token, tls: config.tls },
      {
        opened: () => this.#alone(() => this.#greet()),
        text: (data) => this.#alone(() => this.#receive(data)),
        alive: () => this.#heard(),
        closed: (reason, refused, code) => this.#end(refused ? "denied" : this.#loss(), reason, code),
      },
    );
  }

  /** Says good-bye, so that the directory need not wait for a lease to end. */
  stop(): void {
    if (this.#phase.state !== "established") return this.#breakOff("stopped", "stopping");
    this.#phase = { state: "closing" };
    this.#cancelTimer();
    this.#cancelTimer = this.#deps.clock.setTimer(CLOSE_MS_MAX, () => this.#breakOff("stopped", "stopping"));
    this.#disconnected("stopping");
    this.#connection.close();
  }

  #greet(): void {
    const { identity, subscribe } = this.#config;
    const hello: Hello = {
      type: "hello",
      link: LINK_VERSIONS,
      ...identity,
      subscribe: subscribe && {
        services: subscribe.services === null ? null : [...subscribe.services],
        have: subscribe.have(),
        ...(subscribe.holds() > 0 && { holds: subscribe.holds() }),
      },
    };
    this.#connection.send(JSON.stringify(hello));
  }

  #receive(data: string): void {
    if (this.#phase.state === "ended") return;
    this.#heard();
    const read = readServerMessage(data);
    switch (read.state) {
      case "unknown":
        this.#deps.log.debug("Message of an unknown type ignored", { type: read.type });
        return;
      case "unusable":
        return this.#breakOff(this.#loss(), read.reason);
      case "read":
        return this.#take(read.message);
    }
  }

  #take(message: ReceivedMessage): void {
    if (message.type === "error" && message.fatal)
      return this.#breakOff(DENIALS.has(message.code) ? "denied" : "refused", message.message, message.code);
    switch (this.#phase.state) {
      case "opening":
        if (message.type === "welcome") return this.#establish(message);
        if (message.type === "error") return this.#breakOff("failed", message.message);
        return this.#breakOff("failed", `it began with ${message.type}, wanted welcome`);
      case "established":
        if (message.type === "welcome") return this.#breakOff(this.#loss(), "it sent a second welcome");
        return this.#deps.handler.message(message);
      case "closing":
      case "ended":
        return;
    }
  }

  #establish(welcome: Welcome): void {
    const { min, max } = LINK_VERSIONS;
    if (welcome.link < min || welcome.link > max) {
      return this.#breakOff("refused", `it speaks version ${welcome.link} of the link, wanted ${min} to ${max}`);
    }
    const silentMsMax = welcome.heartbeatMs * SILENT_HEARTBEATS_MAX;
    this.#phase = { state: "established", welcome, sinceMs: this.#deps.clock.monotonicMs(), silentMsMax };
    this.#cancelTimer();
    this.#watchSilence(silentMsMax, silentMsMax);
    this.#deps.onConnected(welcome);
    this.#deps.handler.connected({
      replica: this.#config.replica,
      welcome,
      send: (message) => this.#send(message),
      reconnect: (reason) => this.#breakOff(this.#loss(), reason),
    });
  }

  /** What goes wrong while something of this link is handled ends this link, to be opened again, and not the program. */
  #alone(work: () => void): void {
    try {
      work();
    } catch (error) {
      if (this.#phase.state === "ended") return;
      const directory = formatDirectoryAddress(this.#config.replica);
      this.#deps.log.error("Link failed, opening it again", { directory, error });
      this.#connection.close(INTERNAL_ERROR);
      this.#end("failed", `what it said could not be handled: ${describeError(error)}`);
    }
  }

  /** One timer that checks the time of the last message, which is cheaper than a timer that every message restarts. */
  #watchSilence(delayMs: number, silentMsMax: number): void {
    this.#cancelTimer = this.#deps.clock.setTimer(delayMs, () => {
      const leftMs = this.#heardMs + silentMsMax - this.#deps.clock.monotonicMs();
      if (leftMs > 0) return this.#watchSilence(leftMs, silentMsMax);
      this.#breakOff(this.#loss(), `it was silent for ${silentMsMax / 1000} s`);
    });
  }

  #heard(): void {
    this.#heardMs = this.#deps.clock.monotonicMs();
  }

  #send(message: Exclude<ClientMessage, Hello>): boolean {
    if (this.#phase.state !== "established") return false;
    const text = JSON.stringify(message);
    const bytes = Buffer.byteLength(text);
    this.#tellTooLarge(message.type, bytes);
    if (bytes > FRAME_BYTES_MAX) return false;
    if (this.#connection.bufferedBytes > BUFFERED_BYTES_MAX) {
      this.#breakOff(this.#loss(), "it takes in nothing of what is sent to it");
      return false;
    }
    this.#connection.send(text);
    return true;
  }

  #tellTooLarge(type: string, bytes: number): void {
    const { log, board } = this.#deps;
    if (bytes <= FRAME_BYTES_MAX) return board?.set(`message ${type}`, []);
    log.error("Message too large for the link, not sent", { type, bytes, limitBytes: FRAME_BYTES_MAX });
    const message = `its ${type} has ${bytes} bytes, and the link takes ${FRAME_BYTES_MAX}: the directory knows nothing of it`;
    const remedy = "divide the services of this machine among several Watsons, each with a state folder of its own";
    board?.set(`message ${type}`, [{ subject: "link", message, severity: "error", remedy }]);
  }

  /** What an end from here on is: that of a link that held, or of an attempt. */
  #loss(): SessionEnd["kind"] {
    if (this.#phase.state === "closing") return "stopped";
    if (this.#phase.state !== "established") return "failed";
    return this.#deps.clock.monotonicMs() - this.#phase.sinceMs >= STABLE_MS ? "lost" : "failed";
  }

  #breakOff(kind: SessionEnd["kind"], reason: string, code?: ErrorCode): void {
    if (this.#phase.state === "ended") return;
    this.#connection.terminate();
    this.#end(kind, reason, code);
  }

  #end(kind: SessionEnd["kind"], reason: string, code?: ErrorCode): void {
    const { state } = this.#phase;
    if (state === "ended") return;
    this.#phase = { state: "ended" };
    this.#cancelTimer();
    if (state === "established") this.#disconnected(reason);
    const where = formatDirectoryAddress(this.#config.replica);
    this.#resolve({ kind, reason: `${where}: ${reason}`, ...(code !== undefined && { code }) });
  }

  #disconnected(reason: string): void {
    try {
      this.#deps.handler.disconnected(reason);
    } catch (error) {
      this.#deps.log.error("End of a link not handled", { error });
    }
  }
}
