import type { Open } from "../frames/performatives.ts";
import { PROTOCOL, readProtocolHeader } from "../frames/protocol-header.ts";
import type { FrameSplitter } from "../frames/splitter.ts";
import type { Output } from "../link/output.ts";
import { CONDITION, WireFailure } from "../types/conditions.ts";
import type { ConnectionFrames } from "./connection-frames.ts";
import { SaslClientLayer, type SaslLayer, SaslServerLayer } from "./sasl-layer.ts";
import type { CompleteSettings } from "./settings.ts";

const NOTHING = new Uint8Array(0);
/** Frames that a peer takes before it has said how large they may be, and always (specification, part 2.7.1). */
export const FRAME_BYTES_MIN = 512;

/** Requires of an open that its peer can be talked to. Throws `WireFailure`. */
export function requireUsable(
  { maxFrameSize = FRAME_BYTES_MIN, idleTimeout = 0 }: Open,
  settings: CompleteSettings,
): void {
  if (maxFrameSize < FRAME_BYTES_MIN) {
    throw new WireFailure(
      CONDITION.invalidField,
      `Cannot use frames of ${maxFrameSize} bytes, wanted at least ${FRAME_BYTES_MIN}`,
    );
  }
  const { peerIdleTimeoutMsMin } = settings;
  if (idleTimeout > 0 && idleTimeout < peerIdleTimeoutMsMin) {
    throw new WireFailure(
      CONDITION.notAllowed,
      `Cannot use an idle time-out of ${idleTimeout} ms, wanted at least ${peerIdleTimeoutMsMin}`,
    );
  }
}

/** What a handshake works with. */
export interface HandshakeDeps {
  readonly settings: CompleteSettings;
  readonly frames: ConnectionFrames;
  readonly output: Output;
  readonly splitter: FrameSplitter;
  /** What was held may be taken in: `release` has it. */
  readonly resumed: () => void;
  /** The security layer ended: with who the peer is, or null where it was refused. */
  readonly authenticated: (identity: string | null) => void;
}

/** All that comes before the open of the peer: protocol headers, the security layer, and how many bytes that may take. */
export class Handshake {
  /** The security layer while it lasts. */
  sasl: SaslLayer | null = null;
  readonly #deps: HandshakeDeps;
  #bytes = 0;
  #held: Uint8Array = NOTHING;
  #authenticated = false;

  constructor(deps: HandshakeDeps) {
    this.#deps = deps;
  }

  /** Whether frames are those of AMQP itself. */
  get over(): boolean {
    return this.sasl === null && this.#deps.frames.headerSaid && !this.#deps.splitter.expectHeader;
  }

  /** Whether what the peer sends has to wait for an answer of ours: it may go on before it has heard that it is let in. */
  get waits(): boolean {
    return this.sasl?.waits ?? false;
  }

  /** Keeps bytes until then; throws `WireFailure` where they are too many. */
  hold(bytes: Uint8Array): void {
    if (this.#held.length + bytes.length > this.#deps.settings.openBytesMax) {
      throw new WireFailure(CONDITION.framingError, "Cannot take so many bytes before the login has ended");
    }
    const held = new Uint8Array(this.#held.length + bytes.length);
    held.set(this.#held);
    held.set(bytes, this.#held.length);
    this.#held = held;
  }

  /** Hands over what was kept. */
  release(): Uint8Array {
    const held = this.#held;
    this.#held = NOTHING;
    return held;
  }

  /** Speaks first, as clients do. */
  start(): void {
    const { settings, frames } = this.#deps;
    if (settings.role === "server" || frames.headerSaid) return;
    if (settings.saslClients !== undefined) return frames.header(PROTOCOL.sasl);
    frames.header(PROTOCOL.amqp);
    frames.open();
  }

  /** Counts what came, and allows no more than is left. */
  count(): void {
    const { settings, splitter } = this.#deps;
    this.#bytes += splitter.size;
    splitter.frameBytesMax = Math.min(settings.frameBytesMax, Math.max(settings.openBytesMax - this.#bytes, 0));
  }

  /** Takes in the protocol header of the peer; throws `WireFailure` where it is not the one for now. */
  headerCame(): void {
    const { settings, frames, splitter } = this.#deps;
    const { role, saslServer, saslRequired } = settings;
    const protocol = readProtocolHeader(splitter.bytes, splitter.start);
    const wanted = this.#wantedProtocol();
    const isServer = role === "server";
    const withoutSasl = isServer && protocol === PROTOCOL.amqp && (saslServer === undefined || !saslRequired);
    if (protocol !== wanted && !withoutSasl) {
      // The specification has a server say what it would have taken.
      if (isServer) frames.header(wanted);
      else if (protocol === PROTOCOL.sasl) {
        throw new WireFailure(CONDITION.unauthorizedAccess, "Cannot go on without a login: the peer wants one");
      }
      throw new WireFailure(CONDITION.framingError, "Cannot use the protocol that the peer begins with");
    }
    if (isServer) frames.header(protocol);
    splitter.expectHeader = false;
    this.sasl = protocol === PROTOCOL.sasl ? this.#layer() : null;
    this.sasl?.begin();
  }

  #wantedProtocol(): number {
    const { role, saslServer, saslClients } = this.#deps.settings;
    const saslWanted = (role === "server" ? saslServer : saslClients) !== undefined;
    return saslWanted && !this.#authenticated ? PROTOCOL.sasl : PROTOCOL.amqp;
  }

  #layer(): SaslLayer {
    const { settings, output } = this.#deps;
    const { role, saslServer, saslClients, saslHostname, open } = settings;
    const end = (identity: string | null): void => this.#ended(identity);
    if (role === "server" && saslServer !== undefined) {
      return new SaslServerLayer(saslServer, output, end, this.#deps.resumed);
    }
    return new SaslClientLayer(saslClients ?? [], saslHostname ?? open.hostname, output, end);
  }

  #ended(identity: string | null): void {
    const { settings, frames, splitter, authenticated } = this.#deps;
    if (identity !== null) {
      this.#authenticated = true;
      splitter.expectHeader = true;
      if (settings.role === "client") {
        frames.header(PROTOCOL.amqp);
        frames.open();
      }
    }
    authenticated(identity);
  }
}
