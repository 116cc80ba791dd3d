import type { Open } from "../frames/performatives.ts";
import type { SaslClient, SaslServer } from "../sasl/contract.ts";

/** How a connection is to be; all but `role` and `open` have defaults. */
export interface ConnectionSettings {
  /** A server waits for its peer to speak, a client speaks first. */
  readonly role: "server" | "client";
  /** What we say of ourselves. Frame size, channels and time-out are said as the settings below have them. */
  readonly open: Omit<Open, "maxFrameSize" | "channelMax" | "idleTimeout">;
  /** Of a server: who may come in. Left out: anybody, without SASL. */
  readonly saslServer?: SaslServer;
  /** Of a server with SASL: whether a peer has to use it. Default: true. */
  readonly saslRequired?: boolean;
  /** Of a client: mechanisms in order of preference, of which the first that the server has is taken. Left out: no SASL. */
  readonly saslClients?: readonly SaslClient[];
  /** Of a client: what SASL is told as the name of the host; default that of `open`. */
  readonly saslHostname?: string;
  /** Bytes of a frame that we take. Default: 64 KiB. */
  readonly frameBytesMax?: number;
  /** The highest channel, so one less than the sessions of a peer. Default: 255. */
  readonly channelMax?: number;
  /** The highest handle in a session. Default: 4,095. */
  readonly handleMax?: number;
  /** Links of the connection, in all sessions. Default: 4,096. */
  readonly linksMax?: number;
  /** What the bounds are called by whoever sets them: what is refused says so. Left out: they have no names. */
  readonly boundNames?: { readonly frame: string; readonly sessions: string; readonly links: string };
  /** Transfer frames that a session takes before it tells its peer of more. Default: 2,048. */
  readonly incomingWindow?: number;
  /** A peer from which nothing came for so long is given up; it is told half of it. 0: never. Default: 60,000. */
  readonly idleTimeoutMs?: number;
  /** Time-outs of a peer below this are refused: they would make heartbeats a load. Default: 100. */
  readonly peerIdleTimeoutMsMin?: number;
  /** How long a peer has until its open, and to answer our close. Default: 5,000. */
  readonly openTimeoutMs?: number;
  /** Bytes that a peer may send up to and with its open. Default: 10,000. */
  readonly openBytesMax?: number;
  /**
   * Bytes of messages of which not all frames have come, on all links: a link that brings more is detached with
   * resource-limit-exceeded. Above the largest message that any link takes. Default: 128 MiB.
   */
  readonly partialBytesMax?: number;
  /** Bytes to be written above which no message is added. Default: 256 KiB. */
  readonly outputBytesMax?: number;
  /** Bytes to be written above which a peer that reads nothing is given up. Default: 16 MiB. */
  readonly outputBytesLimit?: number;
}

/** Settings with all defaults filled in. */
export type CompleteSettings = ReturnType<typeof withDefaults>;

/** Fills in the defaults. */
export function withDefaults(settings: ConnectionSettings) {
  return {
    frameBytesMax: 65_536,
    channelMax: 255,
    handleMax: 4_095,
    linksMax: 4_096,
    incomingWindow: 2_048,
    idleTimeoutMs: 60_000,
    peerIdleTimeoutMsMin: 100,
    openTimeoutMs: 5_000,
    openBytesMax: 10_000,
    partialBytesMax: 134_217_728,
    outputBytesMax: 262_144,
    outputBytesLimit: 16_777_216,
    saslRequired: true,
    ...settings,
  };
}
