import type { Reader } from "../types/reader.ts";
import type { Writer } from "../types/writer.ts";
import { DESCRIPTOR } from "./descriptors.ts";
import {
  binary,
  type Field,
  mandatory,
  optional,
  readComposite,
  string,
  symbolic,
  symbols,
  ubyte,
  writeComposite,
} from "./fields.ts";

/** The mechanisms that a server takes. */
export interface SaslMechanisms {
  readonly saslServerMechanisms: readonly string[];
}

/** The mechanism that a client chose. */
export interface SaslInit {
  readonly mechanism: string;
  readonly initialResponse?: Uint8Array;
  readonly hostname?: string;
}

/** How an authentication ended: `SASL_OK`, `SASL_AUTH`, or one of the codes for a server that is not well (2 to 4). */
export interface SaslOutcome {
  readonly code: number;
  readonly additionalData?: Uint8Array;
}

/** Authenticated. */
export const SASL_OK = 0;
/** Not authenticated. */
export const SASL_AUTH = 1;

const MECHANISMS: readonly Field[] = [mandatory("saslServerMechanisms", symbols)];
const INIT: readonly Field[] = [
  mandatory("mechanism", symbolic),
  optional("initialResponse", binary),
  optional("hostname", string),
];
const BYTES: readonly Field[] = [mandatory("bytes", binary)];
const OUTCOME: readonly Field[] = [mandatory("code", ubyte), optional("additionalData", binary)];

/** Reads what follows the descriptor of the mechanisms. */
export const readSaslMechanisms = (reader: Reader): SaslMechanisms =>
  readComposite(reader, "mechanisms", MECHANISMS) as SaslMechanisms;
/** Reads what follows the descriptor of an init. */
export const readSaslInit = (reader: Reader): SaslInit => readComposite(reader, "init", INIT) as SaslInit;
/** Reads what follows the descriptor of an outcome. */
export const readSaslOutcome = (reader: Reader): SaslOutcome =>
  readComposite(reader, "outcome", OUTCOME) as SaslOutcome;
/** Reads what follows the descriptor of a challenge or a response. */
export const readSaslBytes = (reader: Reader): Uint8Array =>
  (readComposite(reader, "challenge or response", BYTES) as { bytes: Uint8Array }).bytes;

/** Writes the mechanisms with their descriptor. */
export const writeSaslMechanisms = (writer: Writer, frame: SaslMechanisms): void =>
  writeComposite(writer, DESCRIPTOR.saslMechanisms, frame, MECHANISMS);
/** Writes an init with its descriptor. */
export const writeSaslInit = (writer: Writer, frame: SaslInit): void =>
  writeComposite(writer, DESCRIPTOR.saslInit, frame, INIT);
/** Writes a challenge with its descriptor. */
export const writeSaslChallenge = (writer: Writer, bytes: Uint8Array): void =>
  writeComposite(writer, DESCRIPTOR.saslChallenge, { bytes }, BYTES);
/** Writes a response with its descriptor. */
export const writeSaslResponse = (writer: Writer, bytes: Uint8Array): void =>
  writeComposite(writer, DESCRIPTOR.saslResponse, { bytes }, BYTES);
/** Writes an outcome with its descriptor. */
export const writeSaslOutcome = (writer: Writer, frame: SaslOutcome): void =>
  writeComposite(writer, DESCRIPTOR.saslOutcome, frame, OUTCOME);
