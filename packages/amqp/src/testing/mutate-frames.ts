import type { Chance } from "@datawire/protocol/testing/fuzz";

/** Bytes that have broken something somewhere: bounds, format codes, descriptors. */
const BYTES = [
  0x00, 0x01, 0x02, 0x40, 0x41, 0x43, 0x45, 0x53, 0x70, 0x7f, 0x80, 0xa0, 0xb0, 0xc0, 0xd0, 0xe0, 0xf0, 0xfe, 0xff,
];
const NUMBERS = [0, 1, 0x7f, 0xff, 0x100, 0xffff, 0x7fff_ffff, 0x8000_0000, 0xffff_ffff];

/** A frame that nobody would send, made of one that somebody sends; its size is that of its bytes, but for one in eight. */
export function mutateFrame(chance: Chance, frame: Uint8Array): Uint8Array {
  let bytes = frame.slice();
  for (let i = 1 + chance.int(4); i > 0; i--) bytes = mutateBytes(chance, bytes);
  if (!chance.once(8)) writeNumber(bytes, 0, bytes.length);
  return bytes;
}

function mutateBytes(chance: Chance, bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  const changed = bytes.slice();
  // Most of what is worth a change stands at the beginning, and behind it there may be a long payload.
  const at = chance.int(Math.max(1, Math.min(bytes.length, chance.once(2) ? 64 : 65_536)));
  switch (chance.int(6)) {
    case 0:
      changed[at] = (bytes[at] ?? 0) ^ (1 << chance.int(8));
      return changed;
    case 1:
      changed[at] = chance.pick(BYTES);
      return changed;
    case 2:
      writeNumber(changed, at, chance.pick(NUMBERS));
      return changed;
    case 3:
      return Uint8Array.from([...bytes.subarray(0, at), ...bytes.subarray(at + 1 + chance.int(8))]);
    case 4:
      return Uint8Array.from([...bytes.subarray(0, at), chance.pick(BYTES), ...bytes.subarray(at)]);
    default: {
      const from = chance.int(Math.max(1, bytes.length));
      return Uint8Array.from([...bytes.subarray(0, at), ...bytes.subarray(from, from + 32), ...bytes.subarray(at)]);
    }
  }
}

/** Frames in another order: some left out, some twice, some elsewhere. */
export function mutateSequence(chance: Chance, frames: readonly Uint8Array[]): Uint8Array[] {
  const changed = [...frames];
  for (let i = 1 + chance.int(6); i > 0; i--) {
    const at = chance.int(Math.max(1, changed.length));
    const [taken] = changed.splice(at, chance.once(3) ? 0 : 1);
    if (chance.once(3)) continue;
    const frame = taken ?? chance.pick(frames);
    for (let copies = chance.once(8) ? 50 : 1; copies > 0; copies--)
      changed.splice(chance.int(changed.length + 1), 0, frame);
  }
  return changed;
}

function writeNumber(bytes: Uint8Array, at: number, value: number): void {
  for (let i = 0; i < 4 && at + i < bytes.length; i++) bytes[at + i] = value >>> (24 - 8 * i);
}
