import { hmac } from "@noble/hashes/hmac.js";
import { pbkdf2 } from "@noble/hashes/pbkdf2.js";
import { sha256 } from "@noble/hashes/sha2.js";
import { encodeUtf8 } from "../types/text.ts";

/** What a server keeps of a password: enough to check it, too little to use it (RFC 5802). */
export interface ScramCredentials {
  readonly salt: Uint8Array;
  readonly iterations: number;
  readonly storedKey: Uint8Array;
  readonly serverKey: Uint8Array;
}

/** The least that RFC 7677 wants; each costs whoever guesses as much as whoever logs in. */
export const ITERATIONS = 4_096;

/** What a server is to keep of a password; takes some 10 ms, so it is done when settings are read. `salt`: 16 random bytes. */
export function deriveScramCredentials(password: string, salt: Uint8Array, iterations = ITERATIONS): ScramCredentials {
  const salted = saltedPassword(password, salt, iterations);
  return { salt, iterations, storedKey: sha256(clientKeyOf(salted)), serverKey: serverKeyOf(salted) };
}

/** Texts are compared in one of the forms that Unicode has for the same characters. */
export function saltedPassword(password: string, salt: Uint8Array, iterations: number): Uint8Array {
  return pbkdf2(sha256, encodeUtf8(password.normalize("NFKC")), salt, { c: iterations, dkLen: 32 });
}

/** What a client proves that it has. */
export function clientKeyOf(salted: Uint8Array): Uint8Array {
  return hmac(sha256, salted, encodeUtf8("Client Key"));
}

/** What a server proves that it has. */
export function serverKeyOf(salted: Uint8Array): Uint8Array {
  return hmac(sha256, salted, encodeUtf8("Server Key"));
}

/** The signature of all that was said. */
export function signatureOf(key: Uint8Array, said: string): Uint8Array {
  return hmac(sha256, key, encodeUtf8(said));
}

/** The hash that the mechanism is named after. */
export function hashOf(bytes: Uint8Array): Uint8Array {
  return sha256(bytes);
}

/** Each byte of one against that of the other. */
export function xor(a: Uint8Array, b: Uint8Array): Uint8Array {
  return a.map((byte, i) => byte ^ (b[i] ?? 0));
}

/** Whether two are the same, in a time that does not tell where they differ. */
export function isSame(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && xor(a, b).reduce((sum, byte) => sum | byte, 0) === 0;
}

/** The text of base64, as SCRAM writes bytes. */
export function toBase64(bytes: Uint8Array): string {
  return btoa(String.fromCharCode(...bytes));
}

/** The bytes of base64; null where it is none. */
export function fromBase64(text: string): Uint8Array | null {
  if (!/^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/.test(text)) return null;
  return Uint8Array.from(atob(text), (character) => character.charCodeAt(0));
}
