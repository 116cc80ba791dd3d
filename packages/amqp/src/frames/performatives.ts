import type { Reader } from "../types/reader.ts";
import type { ValueMap } from "../types/values.ts";
import type { Writer } from "../types/writer.ts";
import { DESCRIPTOR } from "./descriptors.ts";
import { type AmqpError, errorField } from "./error.ts";
import {
  boolean,
  type Field,
  type Fields,
  fieldsMap,
  mandatory,
  map,
  optional,
  readComposite,
  string,
  symbols,
  ubyte,
  uint,
  ulong,
  ushort,
  writeComposite,
} from "./fields.ts";
import { type Source, sourceField, type Target, targetField } from "./terminus.ts";

/** How a sender settles: all unsettled, all settled, or as each message says. */
export const SENDER_SETTLES = { unsettled: 0, settled: 1, mixed: 2 } as const;
/** Whether a receiver settles at once, or only after the sender has. */
export const RECEIVER_SETTLES = { first: 0, second: 1 } as const;

/** What a container says of itself first. */
export interface Open {
  readonly containerId: string;
  readonly hostname?: string;
  /** Bytes; default 2^32 - 1. */
  readonly maxFrameSize?: number;
  /** The highest channel; default 65,535. */
  readonly channelMax?: number;
  /** Milliseconds; left out: none. */
  readonly idleTimeout?: number;
  readonly outgoingLocales?: readonly string[];
  readonly incomingLocales?: readonly string[];
  readonly offeredCapabilities?: readonly string[];
  readonly desiredCapabilities?: readonly string[];
  readonly properties?: Fields;
}

/** Begins a session. */
export interface Begin {
  /** The channel of the begin that this one answers. */
  readonly remoteChannel?: number;
  readonly nextOutgoingId: number;
  readonly incomingWindow: number;
  readonly outgoingWindow: number;
  /** The highest handle; default 2^32 - 1. */
  readonly handleMax?: number;
  readonly offeredCapabilities?: readonly string[];
  readonly desiredCapabilities?: readonly string[];
  readonly properties?: Fields;
}

/** Makes a link, or takes one up again. */
export interface Attach {
  readonly name: string;
  readonly handle: number;
  /** That of whoever sends this: true for a receiver. */
  readonly role: boolean;
  /** One of `SENDER_SETTLES`; default mixed. */
  readonly sndSettleMode?: number;
  /** One of `RECEIVER_SETTLES`; default first. */
  readonly rcvSettleMode?: number;
  readonly source?: Source;
  readonly target?: Target;
  /** Delivery states by delivery tag, of a link that is taken up again. */
  readonly unsettled?: ValueMap;
  readonly incompleteUnsettled?: boolean;
  /** Of a sender. */
  readonly initialDeliveryCount?: number;
  /** Bytes; left out or 0: no limit. */
  readonly maxMessageSize?: number;
  readonly offeredCapabilities?: readonly string[];
  readonly desiredCapabilities?: readonly string[];
  readonly properties?: Fields;
}

/** Lets go of a link. */
export interface Detach {
  readonly handle: number;
  /** Whether the link is over, or may be taken up again. */
  readonly closed?: boolean;
  readonly error?: AmqpError;
}

/** Ends a session or a connection. */
export interface Ending {
  readonly error?: AmqpError;
}

const PEER: readonly Field[] = [
  optional("offeredCapabilities", symbols),
  optional("desiredCapabilities", symbols),
  optional("properties", fieldsMap),
];
const OPEN: readonly Field[] = [
  mandatory("containerId", string),
  optional("hostname", string),
  optional("maxFrameSize", uint),
  optional("channelMax", ushort),
  optional("idleTimeout", uint),
  optional("outgoingLocales", symbols),
  optional("incomingLocales", symbols),
  ...PEER,
];
const BEGIN: readonly Field[] = [
  optional("remoteChannel", ushort),
  mandatory("nextOutgoingId", uint),
  mandatory("incomingWindow", uint),
  mandatory("outgoingWindow", uint),
  optional("handleMax", uint),
  ...PEER,
];
const ATTACH: readonly Field[] = [
  mandatory("name", string),
  mandatory("handle", uint),
  mandatory("role", boolean),
  optional("sndSettleMode", ubyte),
  optional("rcvSettleMode", ubyte),
  optional("source", sourceField),
  optional("target", targetField),
  optional("unsettled", map),
  optional("incompleteUnsettled", boolean),
  optional("initialDeliveryCount", uint),
  optional("maxMessageSize", ulong),
  ...PEER,
];
const DETACH: readonly Field[] = [
  mandatory("handle", uint),
  optional("closed", boolean),
  optional("error", errorField),
];
const ENDING: readonly Field[] = [optional("error", errorField)];

/** Reads what follows the descriptor of an open. */
export const readOpen = (reader: Reader): Open => readComposite(reader, "open", OPEN) as Open;
/** Reads what follows the descriptor of a begin. */
export const readBegin = (reader: Reader): Begin => readComposite(reader, "begin", BEGIN) as Begin;
/** Reads what follows the descriptor of an attach. */
export const readAttach = (reader: Reader): Attach => readComposite(reader, "attach", ATTACH) as Attach;
/** Reads what follows the descriptor of a detach. */
export const readDetach = (reader: Reader): Detach => readComposite(reader, "detach", DETACH) as Detach;
/** Reads what follows the descriptor of an end or a close. */
export const readEnding = (reader: Reader): Ending => readComposite(reader, "end or close", ENDING);

/** Writes an open with its descriptor. */
export const writeOpen = (writer: Writer, open: Open): void => writeComposite(writer, DESCRIPTOR.open, open, OPEN);
/** Writes a begin with its descriptor. */
export const writeBegin = (writer: Writer, begin: Begin): void =>
  writeComposite(writer, DESCRIPTOR.begin, begin, BEGIN);
/** Writes an attach with its descriptor. */
export const writeAttach = (writer: Writer, attach: Attach): void =>
  writeComposite(writer, DESCRIPTOR.attach, attach, ATTACH);
/** Writes a detach with its descriptor. */
export const writeDetach = (writer: Writer, detach: Detach): void =>
  writeComposite(writer, DESCRIPTOR.detach, detach, DETACH);
/** Writes an end with its descriptor. */
export const writeEnd = (writer: Writer, end: Ending): void => writeComposite(writer, DESCRIPTOR.end, end, ENDING);
/** Writes a close with its descriptor. */
export const writeClose = (writer: Writer, close: Ending): void =>
  writeComposite(writer, DESCRIPTOR.close, close, ENDING);
