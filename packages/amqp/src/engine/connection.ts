import { DESCRIPTOR, DESCRIPTOR_BY_SYMBOL } from "../frames/descriptors.ts";
import type { AmqpError } from "../frames/error.ts";
import {
  type Begin,
  type Open,
  readBegin,
  readEnding,
  readOpen,
  writeClose,
  writeOpen,
} from "../frames/performatives.ts";
import { PROTOCOL, protocolHeader, readProtocolHeader } from "../frames/protocol-header.ts";
import { FRAME_TYPE, FrameSplitter } from "../frames/splitter.ts";
import { CONDITION, decodeFailure, WireFailure } from "../types/conditions.ts";
import { ABSENT, Reader } from "../types/reader.ts";
import type { Link } from "./link.ts";
import { Output } from "./output.ts";
import { SaslClientLayer, type SaslLayer, SaslServerLayer } from "./sasl-layer.ts";
import { type LinkEvents, Session, type SessionHost } from "./session.ts";
import { type ConnectionSettings, withDefaults } from "./settings.ts";
import { Timers } from "./timers.ts";

/** Frames that a peer takes before it has said how large they may be. */
const FRAME_BYTES_MIN = 512;

/** Why a connection is no more. */
export interface ConnectionEnd {
  /** Who ended it; `transport`: it was lost. */
  readonly by: "peer" | "us" | "transport";
  /** Null: nothing was wrong. */
  readonly error: AmqpError | null;
}

/** What a connection tells whoever drives it: called while bytes or time are given, or something is asked of it. */
export interface ConnectionEvents extends LinkEvents {
  /** There is something to write: `takeOutput` has it. Called once until it was taken. */
  outputReady(): void;
  /** The peer said what it is. A server may close the connection here; its own open is on its way already. */
  opened(open: Open): void;
  sessionBegan(session: Session): void;
  /** All its links have been told of before. */
  sessionEnded(session: Session, error: AmqpError | null): void;
  /** The last event, told once; all sessions and links have been told of before. */
  closed(end: ConnectionEnd): void;
}

/**
 * One AMQP connection, either side of it: bytes and time in, bytes and events out. Nothing that comes from the peer makes
 * any of its methods throw.
 */
export class Connection implements SessionHost {
  readonly events: ConnectionEvents;
  readonly output: Output;
  readonly incomingWindow: number;
  readonly handleMax: number;
  /** Who the peer is, as SASL has it; null before that, and without. */
  identity: string | null = null;
  /** What the peer said; null until it has. */
  remote: Open | null = null;
  /** For whoever uses the connection: what belongs to it. */
  context: unknown = null;
  /** Whether the transport is to be closed, once all output is written. */
  done = false;

  readonly #settings: ReturnType<typeof withDefaults>;
  readonly #splitter: FrameSplitter;
  readonly #reader = new Reader(new Uint8Array(0));
  readonly #timers: Timers;
  #sasl: SaslLayer | null = null;
  #headerSaid = false;
  #openSaid = false;
  #closeSaid = false;
  #bytesBeforeOpen = 0;
  /** By our channels, and by those of the peer. */
  readonly #sessions: (Session | undefined)[] = [];
  readonly #byRemoteChannel: (Session | undefined)[] = [];
  /** Links by direction and name: a name may be attached once. */
  readonly #links = new Map<string, Link>();

  constructor(settings: ConnectionSettings, events: ConnectionEvents, nowMs: number) {
    this.#settings = withDefaults(settings);
    this.events = events;
    this.incomingWindow = this.#settings.incomingWindow;
    this.handleMax = this.#settings.handleMax;
    this.output = new Output(FRAME_BYTES_MIN, this.#settings.outputBytesMax, () => this.events.outputReady());
    this.#splitter = new FrameSplitter(Math.min(this.#settings.openBytesMax, this.#settings.frameBytesMax));
    this.#timers = new Timers(nowMs, nowMs + this.#settings.openTimeoutMs);
  }

  /** Begins to speak, as a client has to. */
  start(): void {
    if (this.#settings.role === "server" || this.#headerSaid) return;
    if (this.#settings.saslClients !== undefined) return this.#sayHeader(PROTOCOL.sasl);
    this.#sayHeader(PROTOCOL.amqp);
    this.#sayOpen();
  }

  /** Takes in what came from the peer, in pieces of any size. The bytes are not to be changed afterwards. */
  receive(bytes: Uint8Array, nowMs: number): void {
    if (this.done) return;
    this.#timers.nowMs = nowMs;
    this.#timers.heard();
    const splitter = this.#splitter;
    splitter.push(bytes);
    try {
      while (!this.done && splitter.next()) {
        if (this.remote === null) this.#countBeforeOpen();
        if (splitter.expectHeader) this.#headerCame();
        else this.#frameCame();
      }
    } catch (error) {
      if (!(error instanceof WireFailure)) throw error;
      this.#fail({ condition: error.condition, description: error.message });
    }
    if (this.output.frames.length > this.#settings.outputBytesLimit) this.#giveUpReader();
  }

  /** Does what is due, and returns when to call this next (milliseconds of the same clock); null: not before something else happens. */
  tick(nowMs: number): number | null {
    this.#timers.nowMs = nowMs;
    if (this.done) return null;
    switch (this.#timers.due()) {
      case "deadline":
        this.#late();
        break;
      case "silence":
        this.#fail({
          condition: CONDITION.resourceLimitExceeded,
          description: `Cannot go on: nothing came for ${this.#timers.silenceMsMax} ms`,
        });
        break;
      case "heartbeat":
        this.output.frames.end(this.output.begin(0));
        this.#timers.said();
        break;
      case null:
    }
    return this.done ? null : this.#timers.next();
  }

  /** All that is to be written now, null for nothing: the caller's from then on. */
  takeOutput(nowMs: number): Uint8Array | null {
    this.#timers.nowMs = nowMs;
    const bytes = this.output.take();
    if (bytes !== null) this.#timers.said();
    this.#reopen();
    return bytes;
  }

  /** Bytes that wait to be taken. Whoever reads from the peer stops that while they are many. */
  get outputBytes(): number {
    return this.output.frames.length;
  }

  /** Says whether the transport takes no more at present: no message is then added to what is to be written. */
  setCongested(congested: boolean): void {
    this.output.congested = congested;
    if (!congested) this.#reopen();
  }

  /** Begins a session; links may be asked for on it at once. Throws where there are as many as either side allows. */
  begin(): Session {
    const session = this.#newSession();
    if (this.remote !== null) session.begin(ABSENT);
    return session;
  }

  /** All sessions that have not ended. */
  get sessions(): readonly Session[] {
    return this.#sessions.filter((session) => session !== undefined);
  }

  /** Closes the connection, and all sessions and links with it; `closed` follows once the peer has answered or is late. */
  close(error: AmqpError | null = null): void {
    if (this.done || this.#closeSaid) return;
    if (this.remote === null) return this.#fail(error);
    for (const session of this.sessions) session.flush();
    this.#loseSessions(error);
    this.#sayClose(error);
    this.#timers.deadlineMs = this.#timers.nowMs + this.#settings.openTimeoutMs;
  }

  /** Says that the transport is gone. */
  disconnected(error: AmqpError | null = null): void {
    this.#finish({ by: this.#closeSaid ? "us" : "transport", error });
  }

  linkCame(link: Link): void {
    const key = keyOf(link);
    this.#links.get(key)?.detach({
      closed: false,
      error: { condition: CONDITION.stolen, description: "Cannot keep the link: its name was attached again" },
    });
    if (this.#links.size >= this.#settings.linksMax) {
      throw new WireFailure(
        CONDITION.resourceLimitExceeded,
        `Cannot attach: the connection has ${this.#links.size} links`,
      );
    }
    this.#links.set(key, link);
  }

  linkWent(link: Link): void {
    const key = keyOf(link);
    if (this.#links.get(key) === link) this.#links.delete(key);
  }

  sessionEnded(session: Session, error: AmqpError | null): void {
    this.#sessions[session.channel] = undefined;
    if (this.#byRemoteChannel[session.remoteChannel] === session)
      this.#byRemoteChannel[session.remoteChannel] = undefined;
    this.events.sessionEnded(session, error);
  }

  #headerCame(): void {
    const { role, saslServer, saslRequired } = this.#settings;
    const protocol = readProtocolHeader(this.#splitter.bytes, this.#splitter.start);
    const wanted = this.#wantedProtocol();
    const isServer = role === "server";
    const unasked = isServer && protocol === PROTOCOL.amqp && (saslServer === undefined || !saslRequired);
    if (protocol !== wanted && !unasked) {
      // The specification has a server say what it would have taken.
      if (isServer) this.#sayHeader(wanted);
      const error = {
        condition: CONDITION.framingError,
        description: "Cannot use the protocol that the peer begins with",
      };
      return this.#finish({ by: "us", error });
    }
    if (isServer) this.#sayHeader(protocol);
    this.#splitter.expectHeader = false;
    if (protocol === PROTOCOL.sasl) {
      this.#sasl ??= this.#saslLayer();
      this.#sasl.begin();
    } else this.#sasl = null;
  }

  #wantedProtocol(): number {
    const { role, saslServer, saslClients } = this.#settings;
    const saslWanted = (role === "server" ? saslServer : saslClients) !== undefined;
    return saslWanted && this.identity === null ? PROTOCOL.sasl : PROTOCOL.amqp;
  }

  #saslLayer(): SaslLayer {
    const { role, saslServer, saslClients, saslHostname, open } = this.#settings;
    const end = (identity: string | null): void => this.#authenticated(identity);
    if (role === "server" && saslServer !== undefined) return new SaslServerLayer(saslServer, this.output, end);
    return new SaslClientLayer(saslClients ?? [], saslHostname ?? open.hostname, this.output, end);
  }

  #authenticated(identity: string | null): void {
    if (this.done) return;
    if (identity === null) {
      const error = { condition: CONDITION.unauthorizedAccess, description: "Cannot authenticate" };
      return this.#finish({ by: this.#settings.role === "server" ? "us" : "peer", error });
    }
    this.identity = identity;
    this.#splitter.expectHeader = true;
    if (this.#settings.role === "server") return;
    this.#sayHeader(PROTOCOL.amqp);
    this.#sayOpen();
  }

  #frameCame(): void {
    const { bytes, start, end, type, channel } = this.#splitter;
    if (type !== (this.#sasl === null ? FRAME_TYPE.amqp : FRAME_TYPE.sasl)) {
      throw new WireFailure(CONDITION.framingError, `Cannot read a frame of type ${type}`);
    }
    // An empty frame says that its sender is alive.
    if (start === end && this.#sasl === null) return;
    const reader = this.#reader.reset(bytes, start, end);
    const code = reader.descriptor(DESCRIPTOR_BY_SYMBOL);
    if (this.#sasl !== null) return this.#sasl.frame(code, reader);
    if (this.remote === null && code !== DESCRIPTOR.open) {
      throw new WireFailure(CONDITION.illegalState, "Cannot use a frame: the first has to be an open");
    }
    if (this.#closeSaid && code !== DESCRIPTOR.close) return;
    switch (code) {
      case DESCRIPTOR.transfer:
      case DESCRIPTOR.disposition:
      case DESCRIPTOR.flow:
      case DESCRIPTOR.attach:
      case DESCRIPTOR.detach:
        return this.#sessionAt(channel).frame(code, reader, end);
      case DESCRIPTOR.open:
        return this.#openCame(readOpen(reader));
      case DESCRIPTOR.begin:
        return this.#beginCame(channel, readBegin(reader));
      case DESCRIPTOR.end:
        return this.#sessionAt(channel).endHeard(readEnding(reader).error ?? null);
      case DESCRIPTOR.close:
        return this.#closeCame(readEnding(reader).error ?? null);
      default:
        throw decodeFailure("Cannot read a frame: its body is no performative");
    }
  }

  #openCame(open: Open): void {
    if (this.remote !== null) throw new WireFailure(CONDITION.illegalState, "Cannot open: the connection is open");
    const { maxFrameSize = 0xffff_ffff, idleTimeout = 0 } = open;
    if (maxFrameSize < FRAME_BYTES_MIN) {
      throw new WireFailure(
        CONDITION.invalidField,
        `Cannot use frames of ${maxFrameSize} bytes, wanted at least ${FRAME_BYTES_MIN}`,
      );
    }
    const { peerIdleTimeoutMsMin, frameBytesMax, idleTimeoutMs } = this.#settings;
    if (idleTimeout > 0 && idleTimeout < peerIdleTimeoutMsMin) {
      throw new WireFailure(
        CONDITION.notAllowed,
        `Cannot use an idle time-out of ${idleTimeout} ms, wanted at least ${peerIdleTimeoutMsMin}`,
      );
    }
    this.remote = open;
    // Frames larger than our own we do not write: room for them would be kept for each connection.
    this.output.frameBytesMax = Math.min(maxFrameSize, Math.max(frameBytesMax, FRAME_BYTES_MIN));
    this.#splitter.frameBytesMax = frameBytesMax;
    this.#timers.deadlineMs = Infinity;
    if (idleTimeoutMs > 0) this.#timers.silenceMsMax = idleTimeoutMs;
    if (idleTimeout > 0) this.#timers.peerTimeout(idleTimeout);
    this.#sayOpen();
    for (const session of this.sessions) session.begin(ABSENT);
    this.events.opened(open);
  }

  #beginCame(channel: number, begin: Begin): void {
    if (channel > this.#settings.channelMax) {
      throw new WireFailure(
        CONDITION.framingError,
        `Cannot use channel ${channel}: the highest is ${this.#settings.channelMax}`,
      );
    }
    if (this.#byRemoteChannel[channel] !== undefined) {
      throw new WireFailure(CONDITION.notAllowed, `Cannot begin a session on channel ${channel}: it has one`);
    }
    const { remoteChannel } = begin;
    const session = remoteChannel === undefined ? this.#newSession() : this.#sessions[remoteChannel];
    if (session?.state !== "beginning") {
      throw new WireFailure(CONDITION.notAllowed, `Cannot begin a session: channel ${remoteChannel} asked for none`);
    }
    this.#byRemoteChannel[channel] = session;
    if (remoteChannel === undefined) session.begin(channel);
    session.begun(channel, begin);
    this.events.sessionBegan(session);
  }

  #newSession(): Session {
    const free = this.#sessions.indexOf(undefined);
    const channel = free < 0 ? this.#sessions.length : free;
    const max = Math.min(this.#settings.channelMax, this.remote?.channelMax ?? Infinity);
    if (channel > max) {
      throw new WireFailure(CONDITION.resourceLimitExceeded, `Cannot begin a session: there are ${channel}`);
    }
    const session = new Session(this, channel);
    this.#sessions[channel] = session;
    return session;
  }

  #sessionAt(channel: number): Session {
    const session = this.#byRemoteChannel[channel];
    if (session === undefined) {
      throw new WireFailure(CONDITION.notAllowed, `Cannot use a frame of channel ${channel}: it has no session`);
    }
    return session;
  }

  #closeCame(error: AmqpError | null): void {
    if (this.#closeSaid) return this.#finish({ by: "us", error });
    this.#sayClose(null);
    this.#finish({ by: "peer", error });
  }

  #countBeforeOpen(): void {
    const { openBytesMax, frameBytesMax } = this.#settings;
    this.#bytesBeforeOpen += this.#splitter.size;
    this.#splitter.frameBytesMax = Math.min(frameBytesMax, Math.max(openBytesMax - this.#bytesBeforeOpen, 0));
  }

  #late(): void {
    const { openTimeoutMs } = this.#settings;
    if (this.#closeSaid) return this.#finish({ by: "us", error: null });
    this.#fail({
      condition: CONDITION.resourceLimitExceeded,
      description: `Cannot wait longer: no open came for ${openTimeoutMs} ms`,
    });
  }

  #giveUpReader(): void {
    this.output.frames.take();
    const description = `Cannot go on: more than ${this.#settings.outputBytesLimit} bytes are not read`;
    this.#finish({ by: "us", error: { condition: CONDITION.resourceLimitExceeded, description } });
  }

  /** Ends the connection at once: what comes after a failure means nothing any more. */
  #fail(error: AmqpError | null): void {
    if (this.done) return;
    // Before the layer of AMQP there is no way to say what was wrong.
    if (this.#sasl === null && this.#headerSaid && !this.#splitter.expectHeader && !this.#closeSaid)
      this.#sayClose(error);
    this.#finish({ by: "us", error });
  }

  #finish(end: ConnectionEnd): void {
    if (this.done) return;
    this.done = true;
    this.#loseSessions(end.error);
    this.output.announce();
    this.events.closed(end);
  }

  #loseSessions(error: AmqpError | null): void {
    for (const session of this.sessions) session.lost(error);
  }

  #reopen(): void {
    if (!this.output.open || this.done) return;
    for (const session of this.#sessions) session?.reopened();
  }

  #sayHeader(protocol: number): void {
    this.output.announce();
    this.output.frames.raw(protocolHeader(protocol));
    this.#headerSaid = true;
  }

  #sayOpen(): void {
    if (this.#openSaid) return;
    this.#openSaid = true;
    const { open, frameBytesMax, channelMax, idleTimeoutMs } = this.#settings;
    const start = this.output.begin(0);
    const idleTimeout = idleTimeoutMs > 0 && { idleTimeout: Math.ceil(idleTimeoutMs / 2) };
    writeOpen(this.output.frames, { ...open, maxFrameSize: frameBytesMax, channelMax, ...idleTimeout });
    this.output.frames.end(start);
  }

  #sayClose(error: AmqpError | null): void {
    this.#sayOpen();
    this.#closeSaid = true;
    const start = this.output.begin(0);
    writeClose(this.output.frames, error === null ? {} : { error });
    this.output.frames.end(start);
  }
}

function keyOf(link: Link): string {
  return `${link.isReceiver ? "in" : "out"} ${link.name}`;
}
