import { CODE } from "../types/codes.ts";
import { CONDITION, WireFailure } from "../types/conditions.ts";
import { ABSENT, type Reader } from "../types/reader.ts";
import { skipValue } from "../types/skip-value.ts";
import type { Writer } from "../types/writer.ts";
import { DESCRIPTOR, DESCRIPTOR_BY_SYMBOL } from "./descriptors.ts";
import { type AmqpError, errorField } from "./error.ts";
import {
  binary,
  boolean,
  type FieldCodec,
  type Fields,
  fieldsMap,
  mandatory,
  optional,
  readComposite,
  uint,
  ulong,
  writeComposite,
} from "./fields.ts";

/** What became of a message: the four outcomes that end it, and states on the way. */
export type DeliveryState =
  | { readonly type: "accepted" }
  | { readonly type: "released" }
  | { readonly type: "rejected"; readonly error?: AmqpError }
  | {
      readonly type: "modified";
      readonly deliveryFailed?: boolean;
      readonly undeliverableHere?: boolean;
      readonly messageAnnotations?: Fields;
    }
  | { readonly type: "received"; readonly sectionNumber: number; readonly sectionOffset: number }
  | { readonly type: "declared"; readonly txnId: Uint8Array }
  | { readonly type: "transactional"; readonly txnId: Uint8Array; readonly outcome?: DeliveryState }
  | { readonly type: "unknown" };

/** The message is taken over by the receiver. */
export const ACCEPTED: DeliveryState = Object.freeze({ type: "accepted" });
/** The message goes back as it was. */
export const RELEASED: DeliveryState = Object.freeze({ type: "released" });
const UNKNOWN: DeliveryState = Object.freeze({ type: "unknown" });

/** How deep an outcome may be in transactional states: one is all that makes sense. */
const NESTED_MAX = 2;

/** Whether a state is one that ends a delivery. */
export function isOutcome(state: DeliveryState | null): boolean {
  switch (state?.type) {
    case "accepted":
    case "released":
    case "rejected":
    case "modified":
      return true;
    default:
      return false;
  }
}

/** Reads a delivery state, or null. */
export function readDeliveryState(reader: Reader, nested = 0): DeliveryState | null {
  if (reader.nullNext()) return null;
  const code = reader.descriptor(DESCRIPTOR_BY_SYMBOL);
  switch (code) {
    case DESCRIPTOR.accepted:
      readComposite(reader, "accepted", []);
      return ACCEPTED;
    case DESCRIPTOR.released:
      readComposite(reader, "released", []);
      return RELEASED;
    case ABSENT:
      skipValue(reader);
      return UNKNOWN;
    default: {
      const codec = codecs(nested).get(code);
      if (codec === undefined)
        throw new WireFailure(CONDITION.invalidField, "Cannot read a delivery state: it is none");
      return { type: codec.type, ...readComposite(reader, codec.type, codec.fields) } as DeliveryState;
    }
  }
}

/** Writes a delivery state with its descriptor. */
export function writeDeliveryState(writer: Writer, state: DeliveryState): void {
  switch (state.type) {
    case "accepted":
    case "released":
      writer.descriptor(DESCRIPTOR[state.type]);
      return writer.byte(CODE.list0);
    case "unknown":
      return writer.null();
    default:
      for (const [code, { type, fields }] of codecs(0)) {
        if (type === state.type) return writeComposite(writer, code, state, fields);
      }
  }
}

interface StateCodec {
  readonly type: DeliveryState["type"];
  readonly fields: ReturnType<typeof optional>[];
}

const FLAT: readonly (readonly [number, StateCodec])[] = [
  [DESCRIPTOR.rejected, { type: "rejected", fields: [optional("error", errorField)] }],
  [
    DESCRIPTOR.modified,
    {
      type: "modified",
      fields: [
        optional("deliveryFailed", boolean),
        optional("undeliverableHere", boolean),
        optional("messageAnnotations", fieldsMap),
      ],
    },
  ],
  [
    DESCRIPTOR.received,
    { type: "received", fields: [mandatory("sectionNumber", uint), mandatory("sectionOffset", ulong)] },
  ],
  [DESCRIPTOR.declared, { type: "declared", fields: [mandatory("txnId", binary)] }],
];

const LEVELS = Array.from({ length: NESTED_MAX + 1 }, (_, nested): ReadonlyMap<number, StateCodec> => {
  if (nested === NESTED_MAX) return new Map(FLAT);
  const outcome: FieldCodec<DeliveryState> = {
    read: (reader) => readDeliveryState(reader, nested + 1),
    write: writeDeliveryState,
  };
  const fields = [mandatory("txnId", binary), optional("outcome", outcome)];
  return new Map([...FLAT, [DESCRIPTOR.transactionalState, { type: "transactional", fields }]]);
});

function codecs(nested: number): ReadonlyMap<number, StateCodec> {
  return LEVELS[nested] ?? new Map();
}

/** How a delivery state goes over the wire as a field of something else. */
export const stateField: FieldCodec<DeliveryState> = {
  read: (reader) => readDeliveryState(reader),
  write: writeDeliveryState,
};
