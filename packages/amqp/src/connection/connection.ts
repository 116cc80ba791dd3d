import { DESCRIPTOR, DESCRIPTOR_BY_SYMBOL } from "../frames/descriptors.ts";
import type { AmqpError } from "../frames/error.ts";
import { type Begin, type Open, readBegin, readEnding, readOpen } from "../frames/performatives.ts";
import { FRAME_TYPE, FrameSplitter } from "../frames/splitter.ts";
import { CONDITION, decodeFailure, WireFailure } from "../types/conditions.ts";
import { plainBytes } from "../types/plain-bytes.ts";
import { ABSENT, Reader } from "../types/reader.ts";
import type { Link } from "../link/link.ts";
import { Budget } from "../link/budget.ts";
import { Output } from "../link/output.ts";
import type { Session, SessionHost } from "../session/session.ts";
import type { ConnectionEnd, ConnectionEvents } from "./connection-events.ts";
import { ConnectionFrames } from "./connection-frames.ts";
import { FRAME_BYTES_MIN, Handshake, requireUsable } from "./handshake.ts";
import { LinkNames } from "./link-names.ts";
import { SessionTable } from "./session-table.ts";
import { type CompleteSettings, type ConnectionSettings, withDefaults } from "./settings.ts";
import { Timers } from "./timers.ts";

/**
 * One AMQP connection, either side of it: bytes and time in, bytes and events out. Nothing that comes from the peer makes
 * any of its methods throw.
 */
export class Connection implements SessionHost {
  readonly events: ConnectionEvents;
  readonly output: Output;
  readonly incomingWindow: number;
  readonly handleMax: number;
  readonly partials: Budget;
  /** Who the peer is, as SASL has it; null before that, and without. */
  identity: string | null = null;
  /** What the peer said; null until it has. */
  remote: Open | null = null;
  /** For whoever uses the connection: what belongs to it. */
  context: unknown = null;
  /** Whether the transport is to be closed, once all output is written. */
  done = false;

  readonly #settings: CompleteSettings;
  readonly #splitter: FrameSplitter;
  readonly #reader = new Reader(new Uint8Array(0));
  readonly #timers: Timers;
  readonly #frames: ConnectionFrames;
  readonly #handshake: Handshake;
  readonly #sessions: SessionTable;
  readonly #names: LinkNames;

  /** `nowMs`: the time, of any clock that does not go back; the same as for all other methods. */
  constructor(settings: ConnectionSettings, events: ConnectionEvents, nowMs: number) {
    const complete = withDefaults(settings);
    this.#settings = complete;
    this.events = events;
    this.incomingWindow = complete.incomingWindow;
    this.handleMax = complete.handleMax;
    this.partials = new Budget(complete.partialBytesMax);
    this.output = new Output(FRAME_BYTES_MIN, complete.outputBytesMax, () => this.events.outputReady());
    this.#splitter = new FrameSplitter(Math.min(complete.openBytesMax, complete.frameBytesMax));
    this.#timers = new Timers(nowMs, nowMs + complete.openTimeoutMs);
    this.#frames = new ConnectionFrames(this.output, complete);
    this.#handshake = new Handshake({
      settings: complete,
      frames: this.#frames,
      output: this.output,
      splitter: this.#splitter,
      authenticated: (identity) => this.#authenticated(identity),
      resumed: () => this.#resumed(),
    });
    const { boundNames: names } = complete;
    this.#sessions = new SessionTable(this, complete.channelMax, inParentheses(names?.sessions));
    this.#names = new LinkNames(complete.linksMax, inParentheses(names?.links));
    this.#splitter.boundName = inParentheses(names?.frame);
  }

  /** Begins to speak, as a client has to. */
  start(): void {
    this.#handshake.start();
  }

  /** Takes in what came from the peer, in pieces of any size. The bytes are not to be changed afterwards. */
  receive(bytes: Uint8Array, nowMs: number): void {
    if (this.done) return;
    this.#timers.nowMs = nowMs;
    this.#timers.heard();
    const splitter = this.#splitter;
    try {
      if (this.#handshake.waits) return this.#handshake.hold(bytes);
      splitter.push(plainBytes(bytes));
      while (!this.done && splitter.next()) {
        if (this.remote === null) this.#handshake.count();
        if (splitter.expectHeader) this.#handshake.headerCame();
        else this.#frameCame();
        if (this.#handshake.waits) return this.#handshake.hold(splitter.rest());
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
        this.#frames.heartbeat();
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
    const session = this.#sessions.create(this.remote?.channelMax ?? Infinity);
    if (this.remote !== null) session.begin(ABSENT);
    return session;
  }

  /** All sessions that have not ended. */
  get sessions(): readonly Session[] {
    return this.#sessions.all;
  }

  /** Closes the connection, and all sessions and links with it; `closed` follows once the peer has answered or is late. */
  close(error: AmqpError | null = null): void {
    if (this.done || this.#frames.closeSaid) return;
    if (this.remote === null) return this.#fail(error);
    for (const session of this.sessions) session.flush();
    this.#loseSessions(error);
    this.#frames.close(error);
    this.#timers.deadlineMs = this.#timers.nowMs + this.#settings.openTimeoutMs;
  }

  /** Says that the transport is gone. */
  disconnected(error: AmqpError | null = null): void {
    this.#finish({ by: this.#frames.closeSaid ? "us" : "transport", error });
  }

  linkCame(link: Link): void {
    this.#names.add(link);
  }

  linkWent(link: Link): void {
    this.#names.delete(link);
  }

  sessionEnded(session: Session, error: AmqpError | null): void {
    this.#sessions.delete(session);
    this.events.sessionEnded(session, error);
  }

  #authenticated(identity: string | null): void {
    this.identity = identity;
    if (identity !== null) return;
    const error = { condition: CONDITION.unauthorizedAccess, description: "Cannot authenticate" };
    this.#finish({ by: this.#settings.role === "server" ? "us" : "peer", error });
  }

  /** What came while a login was decided on. */
  #resumed(): void {
    const held = this.#handshake.release();
    if (held.length > 0) this.receive(held, this.#timers.nowMs);
  }

  #frameCame(): void {
    const { bytes, start, end, type, channel } = this.#splitter;
    if (type !== (this.#handshake.sasl === null ? FRAME_TYPE.amqp : FRAME_TYPE.sasl)) {
      throw new WireFailure(CONDITION.framingError, `Cannot read a frame of type ${type}`);
    }
    // An empty frame says that its sender is alive.
    if (start === end && this.#handshake.sasl === null) return;
    const reader = this.#reader.reset(bytes, start, end);
    const code = reader.descriptor(DESCRIPTOR_BY_SYMBOL);
    if (this.#handshake.sasl !== null) return this.#handshake.sasl.frame(code, reader);
    if (this.remote === null && code !== DESCRIPTOR.open) {
      throw new WireFailure(CONDITION.illegalState, "Cannot use a frame: the first has to be an open");
    }
    if (this.#frames.closeSaid && code !== DESCRIPTOR.close) return;
    switch (code) {
      case DESCRIPTOR.transfer:
      case DESCRIPTOR.disposition:
      case DESCRIPTOR.flow:
      case DESCRIPTOR.attach:
      case DESCRIPTOR.detach:
        return this.#sessions.at(channel).frame(code, reader, end);
      case DESCRIPTOR.open:
        return this.#openCame(readOpen(reader));
      case DESCRIPTOR.begin:
        return this.#beginCame(channel, readBegin(reader));
      case DESCRIPTOR.end:
        return this.#sessions.at(channel).endHeard(readEnding(reader).error ?? null);
      case DESCRIPTOR.close:
        return this.#closeCame(readEnding(reader).error ?? null);
      default:
        throw decodeFailure("Cannot read a frame: its body is no performative");
    }
  }

  #openCame(open: Open): void {
    if (this.remote !== null) throw new WireFailure(CONDITION.illegalState, "Cannot open: the connection is open");
    const { maxFrameSize = 0xffff_ffff, idleTimeout = 0 } = open;
    requireUsable(open, this.#settings);
    const { frameBytesMax, idleTimeoutMs } = this.#settings;
    this.remote = open;
    // Frames larger than our own we do not write: room for them would be kept for each connection.
    this.output.frameBytesMax = Math.min(maxFrameSize, Math.max(frameBytesMax, FRAME_BYTES_MIN));
    this.#splitter.frameBytesMax = frameBytesMax;
    this.#timers.deadlineMs = Infinity;
    if (idleTimeoutMs > 0) this.#timers.silenceMsMax = idleTimeoutMs;
    if (idleTimeout > 0) this.#timers.peerTimeout(idleTimeout);
    this.#frames.open();
    for (const session of this.sessions) session.begin(ABSENT);
    this.events.opened(open);
  }

  #beginCame(channel: number, begin: Begin): void {
    this.events.sessionBegan(this.#sessions.begun(channel, begin, this.remote?.channelMax ?? Infinity));
  }

  #closeCame(error: AmqpError | null): void {
    if (this.#frames.closeSaid) return this.#finish({ by: "us", error });
    this.#frames.close(null);
    this.#finish({ by: "peer", error });
  }

  #late(): void {
    const { openTimeoutMs } = this.#settings;
    if (this.#frames.closeSaid) return this.#finish({ by: "us", error: null });
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
    if (this.#handshake.over) this.#frames.close(error);
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
    if (this.output.open && !this.done) this.#sessions.reopened();
  }
}

const inParentheses = (name: string | undefined): string => (name === undefined ? "" : ` (${name})`);
