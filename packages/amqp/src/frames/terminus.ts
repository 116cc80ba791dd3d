import { CONDITION, decodeFailure, WireFailure } from "../types/conditions.ts";
import { textOf, type Value } from "../types/values.ts";
import { type DeliveryState, stateField } from "./delivery-state.ts";
import { DESCRIPTOR, DESCRIPTOR_BY_SYMBOL } from "./descriptors.ts";
import { requireDescriptor } from "./error.ts";
import {
  anything,
  boolean,
  type Field,
  type FieldCodec,
  type Fields,
  fieldsMap,
  optional,
  readComposite,
  symbolic,
  symbols,
  uint,
  writeComposite,
} from "./fields.ts";

/** What a terminus keeps of its state: nothing, how it is set up, or its unsettled messages as well. */
export const DURABILITY = { none: 0, configuration: 1, unsettledState: 2 } as const;

/** When a terminus that nobody is attached to is given up. */
export type ExpiryPolicy = "link-detach" | "session-end" | "connection-close" | "never";

interface Terminus {
  /** Null and left out: none yet (`dynamic`), or decided by each message (a target that is a relay). */
  readonly address?: string;
  /** One of `DURABILITY`; default none. */
  readonly durable?: number;
  /** Default `session-end`. */
  readonly expiryPolicy?: ExpiryPolicy;
  /** Seconds; default 0. */
  readonly timeout?: number;
  /** Whether a node is to be made for this link. */
  readonly dynamic?: boolean;
  readonly dynamicNodeProperties?: Fields;
  readonly capabilities?: readonly string[];
}

/** Where the messages of a link come from. */
export interface Source extends Terminus {
  /** `move` takes messages out of the node, `copy` leaves them there. */
  readonly distributionMode?: "move" | "copy";
  /** Filters by name; each a described value. */
  readonly filter?: Fields;
  readonly defaultOutcome?: DeliveryState;
  /** Symbols of the outcomes that may be given. */
  readonly outcomes?: readonly string[];
}

/** Where the messages of a link go to: a node, or the coordinator of transactions. */
export type Target = (Terminus & { readonly type?: "target" }) | Coordinator;

/** The node that begins and ends transactions. */
export interface Coordinator {
  readonly type: "coordinator";
  readonly capabilities?: readonly string[];
}

/** Addresses are of any type; all that means something to us is text. */
const address: FieldCodec<string> = {
  read(reader) {
    const value: Value = anything.read(reader);
    if (value === null) return null;
    const text = textOf(value);
    if (text === null) throw new WireFailure(CONDITION.invalidField, "Cannot read an address: it is no text");
    return text;
  },
  write: (writer, value) => writer.string(value),
};

const COMMON: readonly Field[] = [
  optional("address", address),
  optional("durable", uint),
  optional("expiryPolicy", symbolic),
  optional("timeout", uint),
  optional("dynamic", boolean),
  optional("dynamicNodeProperties", fieldsMap),
];
const SOURCE: readonly Field[] = [
  ...COMMON,
  optional("distributionMode", symbolic),
  optional("filter", fieldsMap),
  optional("defaultOutcome", stateField),
  optional("outcomes", symbols),
  optional("capabilities", symbols),
];
const CAPABILITIES: readonly Field[] = [optional("capabilities", symbols)];
const TARGET: readonly Field[] = [...COMMON, ...CAPABILITIES];

/** How a source goes over the wire as a field of an attach. */
export const sourceField: FieldCodec<Source> = {
  read(reader) {
    if (reader.nullNext()) return null;
    requireDescriptor(reader, DESCRIPTOR.source, "a source");
    return readComposite(reader, "source", SOURCE);
  },
  write: (writer, value) => writeComposite(writer, DESCRIPTOR.source, value, SOURCE),
};

/** How a target goes over the wire as a field of an attach. */
export const targetField: FieldCodec<Target> = {
  read(reader) {
    if (reader.nullNext()) return null;
    const code = reader.descriptor(DESCRIPTOR_BY_SYMBOL);
    if (code === DESCRIPTOR.target) return readComposite(reader, "target", TARGET);
    if (code !== DESCRIPTOR.coordinator) throw decodeFailure("Cannot read a target: it is something else");
    return { ...readComposite(reader, "coordinator", CAPABILITIES), type: "coordinator" };
  },
  write(writer, value) {
    if (value.type === "coordinator") writeComposite(writer, DESCRIPTOR.coordinator, value, CAPABILITIES);
    else writeComposite(writer, DESCRIPTOR.target, value, TARGET);
  },
};
