import { crc32 } from "node:zlib";

/**
 * A segment is a header and then blocks, each of them what one write has put there. All numbers are little-endian.
 *
 *     segment header   magic u32, segment u32, salt u32, crc of these u32
 *     block header     magic u32, length of the body u32, segment u32, position u32, crc of the body u32, crc of these u32
 *
 * The checksums begin with the salt, which is drawn for each segment, so that the bytes of a message cannot pass for a block.
 */

/** What stands in front of a segment. */
export const SEGMENT_HEADER_BYTES = 16;
/** What stands in front of each block. */
export const BLOCK_HEADER_BYTES = 24;

const SEGMENT_MAGIC = 0x31_67_73_64; // "dsg1"
/** How a segment of any form begins: "dsg" and the form, a digit. It grows with whatever an older router would not understand. */
const ANY_FORM = /^dsg([1-9])$/;
/** The form of the segments that this version writes; it reads no other. */
export const SEGMENT_FORM = 1;
const BLOCK_MAGIC = 0x31_6b_6c_62; // "blk1"

/** What a block header says. */
export interface BlockHeader {
  readonly bodyLength: number;
  readonly bodyCrc: number;
}

/** Where a block is. */
export interface BlockPlace {
  readonly segment: number;
  readonly salt: number;
  /** Of the block's header, in the segment. */
  readonly position: number;
}

/** The first bytes of a segment. */
export function encodeSegmentHeader(segment: number, salt: number): Uint8Array {
  const bytes = Buffer.alloc(SEGMENT_HEADER_BYTES);
  bytes.writeUInt32LE(SEGMENT_MAGIC, 0);
  bytes.writeUInt32LE(segment, 4);
  bytes.writeUInt32LE(salt, 8);
  bytes.writeUInt32LE(crc32(bytes.subarray(0, 12)), 12);
  return bytes;
}

/** The salt of a segment; null where the bytes are not its header. */
export function decodeSegmentHeader(bytes: Uint8Array, segment: number): number | null {
  if (bytes.length < SEGMENT_HEADER_BYTES) return null;
  const view = Buffer.from(bytes.buffer, bytes.byteOffset, SEGMENT_HEADER_BYTES);
  if (view.readUInt32LE(0) !== SEGMENT_MAGIC || view.readUInt32LE(4) !== segment) return null;
  return view.readUInt32LE(12) === crc32(view.subarray(0, 12)) ? view.readUInt32LE(8) : null;
}

/** The form that the first bytes of a segment tell of; null where they are those of no segment. */
export function segmentForm(bytes: Uint8Array): number | null {
  const form = ANY_FORM.exec(Buffer.from(bytes.subarray(0, 4)).toString("latin1"))?.[1];
  return form === undefined ? null : Number(form);
}

/** Writes the header of a block in front of its body, which begins at `BLOCK_HEADER_BYTES`. */
export function sealBlock(block: Buffer, { segment, salt, position }: BlockPlace): void {
  block.writeUInt32LE(BLOCK_MAGIC, 0);
  block.writeUInt32LE(block.length - BLOCK_HEADER_BYTES, 4);
  block.writeUInt32LE(segment, 8);
  block.writeUInt32LE(position, 12);
  block.writeUInt32LE(crc32(block.subarray(BLOCK_HEADER_BYTES), salt), 16);
  block.writeUInt32LE(crc32(block.subarray(0, 20), salt), 20);
}

/** Reads the header of the block at a place; null where there is none. */
export function decodeBlockHeader(bytes: Buffer, { segment, salt, position }: BlockPlace): BlockHeader | null {
  if (bytes.length < BLOCK_HEADER_BYTES || bytes.readUInt32LE(0) !== BLOCK_MAGIC) return null;
  if (bytes.readUInt32LE(8) !== segment || bytes.readUInt32LE(12) !== position) return null;
  if (bytes.readUInt32LE(20) !== crc32(bytes.subarray(0, 20), salt)) return null;
  return { bodyLength: bytes.readUInt32LE(4), bodyCrc: bytes.readUInt32LE(16) };
}

/** Whether a body is the one that a header tells of. */
export function isBodyWhole(body: Uint8Array, { bodyCrc }: BlockHeader, salt: number): boolean {
  return crc32(body, salt) === bodyCrc;
}

/** Where the next thing that may be a block begins in some bytes; -1 for nowhere. */
export function findBlockMagic(bytes: Buffer, from: number): number {
  return bytes.indexOf(MAGIC_BYTES, from);
}

const MAGIC_BYTES = Buffer.alloc(4);
MAGIC_BYTES.writeUInt32LE(BLOCK_MAGIC, 0);
