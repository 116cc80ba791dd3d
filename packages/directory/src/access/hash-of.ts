import { createHash, createHmac, pbkdf2Sync, randomBytes } from "node:crypto";
import type { ScramVerifier } from "@datawire/protocol";

/** How a secret is known to the directory. */
export const hashOf = (secret: string): string => createHash("sha256").update(secret).digest("base64url");

/** The least that RFC 7677 wants. A token has 256 random bits, which no number of guesses finds. */
const ITERATIONS = 4_096;
const KEY_BYTES = 32;

/** What checks a token by SCRAM-SHA-256 (RFC 5802), without being of use to whoever has it. */
export function scramVerifierOf(token: string): ScramVerifier {
  const salt = randomBytes(16);
  const salted = pbkdf2Sync(token, salt, ITERATIONS, KEY_BYTES, "sha256");
  const keyed = (text: string): Buffer => createHmac("sha256", salted).update(text).digest();
  const storedKey = createHash("sha256").update(keyed("Client Key")).digest("base64");
  return {
    salt: salt.toString("base64"),
    iterations: ITERATIONS,
    storedKey,
    serverKey: keyed("Server Key").toString("base64"),
  };
}
