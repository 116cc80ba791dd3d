import { crc32 } from "node:zlib";

/** What tells that a row is as it was written: SQLite notices a damaged page structure, but no damaged content. */
export function checksum(key: string, text: string): number {
  return crc32(text, crc32(key));
}
