import type { Begin } from "../frames/performatives.ts";
import { Session, type SessionHost } from "../session/session.ts";
import { CONDITION, WireFailure } from "../types/conditions.ts";
import { ABSENT } from "../types/reader.ts";

/** The sessions of a connection by their channels: each side has its own for the same session. */
export class SessionTable {
  readonly #host: SessionHost;
  readonly #channelMax: number;
  /** What the bound is called, in parentheses; empty for nothing. */
  readonly #name: string;
  readonly #ours: (Session | undefined)[] = [];
  readonly #theirs: (Session | undefined)[] = [];

  /** `channelMax` is the highest channel that either side uses. */
  constructor(host: SessionHost, channelMax: number, name = "") {
    this.#host = host;
    this.#name = name;
    this.#channelMax = channelMax;
  }

  /** All sessions that have not ended. */
  get all(): readonly Session[] {
    return this.#ours.filter((session) => session !== undefined);
  }

  /** Calls `reopened` of all sessions, without a list of them. */
  reopened(): void {
    for (const session of this.#ours) session?.reopened();
  }

  /** Makes a session on the lowest free channel. Throws `WireFailure` where the peer takes no more. */
  create(theirMax: number): Session {
    const free = this.#ours.indexOf(undefined);
    const channel = free < 0 ? this.#ours.length : free;
    if (channel > Math.min(this.#channelMax, theirMax)) {
      throw new WireFailure(CONDITION.resourceLimitExceeded, `Cannot begin a session: there are ${channel}`);
    }
    const session = new Session(this.#host, channel);
    this.#ours[channel] = session;
    return session;
  }

  /** The session of a channel of the peer. Throws `WireFailure` where there is none. */
  at(channel: number): Session {
    const session = this.#theirs[channel];
    if (session === undefined) {
      throw new WireFailure(CONDITION.notAllowed, `Cannot use a frame of channel ${channel}: it has no session`);
    }
    return session;
  }

  /** Takes in a begin of the peer: one that it asks for, or an answer to ours. Throws `WireFailure`. */
  begun(channel: number, begin: Begin, theirMax: number): Session {
    if (channel > this.#channelMax) {
      throw new WireFailure(
        CONDITION.framingError,
        `Cannot use channel ${channel}: the highest is ${this.#channelMax}${this.#name}`,
      );
    }
    if (this.#theirs[channel] !== undefined) {
      throw new WireFailure(CONDITION.notAllowed, `Cannot begin a session on channel ${channel}: it has one`);
    }
    const { remoteChannel } = begin;
    const session = remoteChannel === undefined ? this.create(theirMax) : this.#ours[remoteChannel];
    if (session === undefined || session.remoteChannel !== ABSENT) {
      throw new WireFailure(CONDITION.notAllowed, `Cannot begin a session: channel ${remoteChannel} asked for none`);
    }
    this.#theirs[channel] = session;
    if (remoteChannel === undefined) session.begin(channel);
    session.begun(channel, begin);
    return session;
  }

  delete(session: Session): void {
    this.#ours[session.channel] = undefined;
    if (this.#theirs[session.remoteChannel] === session) this.#theirs[session.remoteChannel] = undefined;
  }
}
