import { CODE, DEPTH_MAX } from "./codes.ts";
import { decodeFailure } from "./conditions.ts";
import type { Reader } from "./reader.ts";

/**
 * Goes beyond one value without a look at what is in it: the upper half of a format code says how many bytes follow
 * (specification, part 1.2). Throws `WireFailure` where they are not there.
 */
export function skipValue(reader: Reader, depth = 0): void {
  if (depth > DEPTH_MAX) throw decodeFailure(`Cannot read a value: it is deeper than ${DEPTH_MAX}`);
  const code = reader.byte();
  if (code === CODE.described) {
    skipValue(reader, depth + 1);
    return skipValue(reader, depth + 1);
  }
  const size = sizeOf(code, reader);
  reader.need(size);
  reader.at += size;
}

function sizeOf(code: number, reader: Reader): number {
  switch (code >>> 4) {
    case 0x4:
      return 0;
    case 0x5:
      return 1;
    case 0x6:
      return 2;
    case 0x7:
      return 4;
    case 0x8:
      return 8;
    case 0x9:
      return 16;
    case 0xa:
    case 0xc:
    case 0xe:
      return reader.byte();
    case 0xb:
    case 0xd:
    case 0xf:
      return reader.uint32();
    default:
      throw decodeFailure(`Cannot read a value: 0x${code.toString(16).padStart(2, "0")} is no format code`);
  }
}
