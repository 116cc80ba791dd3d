import { WireFailure } from "../types/conditions.ts";
import { decodeUtf8 } from "../types/text.ts";

/** The text of UTF-8; null where it is none. */
export function textFrom(bytes: Uint8Array): string | null {
  try {
    return decodeUtf8(bytes, 0, bytes.length);
  } catch (error) {
    if (error instanceof WireFailure) return null;
    throw error;
  }
}
