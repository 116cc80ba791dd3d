import { crc32 } from "node:zlib";

/** Shows whether a row is as it was written: SQLite notices a damaged page structure, but not damaged content. */
export function checksum(key: string, text: string): number {
  return crc32(text, crc32(key));
}
