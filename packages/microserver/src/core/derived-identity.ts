import { sha256 } from "@noble/hashes/sha2.js";
import { bytesToHex, utf8ToBytes } from "@noble/hashes/utils.js";
import type { Identity } from "./message.ts";

/**
 * Which message the output of a pipeline is: the same one whenever, and in whichever process, it is made of the same input.
 * Each has a producer of its own, as outputs do not keep the order of their inputs.
 * @param parts the pipeline, its input and the place of the output.
 */
export function derivedIdentity(parts: readonly (string | number)[]): Identity {
  const digest = bytesToHex(sha256(utf8ToBytes(JSON.stringify(parts))));
  return { producer: `made-${digest.slice(0, 40)}`, sequence: 1 };
}
