import protobuf from "protobufjs/light.js";

const LENGTH_DELIMITED = 2;

/**
 * Whether bytes hold more than so many messages of protobuf within each other. An empty one takes two bytes there and a
 * hundred in memory, so that this is looked at without reading any.
 * @throws RangeError where they end too early.
 */
export function hasMoreMessages(type: protobuf.Type, bytes: Uint8Array, max: number): boolean {
  const reader = protobuf.Reader.create(bytes);
  const open = [{ type, end: bytes.length }];
  let count = 0;
  for (let inner = open.at(-1); inner !== undefined; inner = open.at(-1)) {
    if (reader.pos >= inner.end) {
      open.pop();
      continue;
    }
    const tag = reader.uint32();
    const wire = tag & 7;
    const of = wire === LENGTH_DELIMITED ? inner.type.fieldsById[tag >>> 3]?.resolvedType : null;
    if (of instanceof protobuf.Type) {
      const length = reader.uint32();
      count += 1;
      if (count > max) return true;
      open.push({ type: of, end: Math.min(inner.end, reader.pos + length) });
    } else reader.skipType(wire);
  }
  return false;
}
