import { encodeUtf8 } from "../types/text.ts";
import type { SaslClient, SaslExchange, SaslStep } from "./contract.ts";
import { textFrom } from "./text-from.ts";
import {
  clientKeyOf,
  fromBase64,
  hashOf,
  isSame,
  ITERATIONS,
  saltedPassword,
  type ScramCredentials,
  serverKeyOf,
  signatureOf,
  toBase64,
  xor,
} from "./scram-crypto.ts";

/** The name of the mechanism. */
export const SCRAM = "SCRAM-SHA-256";

/** A server that wants more would have its clients compute for seconds. */
const ITERATIONS_MAX = 200_000;
/** "n,,": no channel binding, and nobody else's name. */
const GS2 = "biws";

/** What a server needs to check passwords it does not know. */
export interface ScramUsers {
  /** Finds what is kept of a user's password, now or later; null: there is no such user. */
  find(user: string, answer: (credentials: ScramCredentials | null) => void): void;
  /** Random text, new each time: at least 18 characters from `!` to `~` without a comma. */
  nonce(): string;
  /** Bytes that nobody else knows and that stay the same: users that do not exist get a salt too, always the same. */
  readonly secret: Uint8Array;
}

/** What the first two messages have settled. */
interface First {
  readonly user: string;
  readonly nonce: string;
  readonly said: string;
  readonly credentials: ScramCredentials;
  readonly known: boolean;
}

/** One authentication by SCRAM-SHA-256 at a server (RFC 5802, RFC 7677). */
export class ScramExchange implements SaslExchange {
  readonly #users: ScramUsers;
  #first: First | null = null;

  constructor(users: ScramUsers) {
    this.#users = users;
  }

  respond(response: Uint8Array, answer: (step: SaslStep) => void): void {
    const text = textFrom(response);
    if (text === null) return answer({ state: "failed" });
    if (this.#first === null) this.#begin(text, answer);
    else answer(this.#check(text, this.#first));
  }

  #begin(text: string, answer: (step: SaslStep) => void): void {
    const [, bare, name, clientNonce] = /^[ny],(?:a=[^,]*)?,(n=([^,]+),r=([\x21-\x2b\x2d-\x7e]+))$/.exec(text) ?? [];
    const user = name === undefined ? null : unescapeName(name);
    if (bare === undefined || clientNonce === undefined || user === null) return answer({ state: "failed" });
    this.#users.find(user, (found) => {
      const credentials = found ?? this.#nobody(user);
      const nonce = clientNonce + this.#users.nonce();
      const challenge = `r=${nonce},s=${toBase64(credentials.salt)},i=${credentials.iterations}`;
      this.#first = { user, nonce, said: `${bare},${challenge}`, credentials, known: found !== null };
      answer({ state: "challenge", bytes: encodeUtf8(challenge) });
    });
  }

  #check(text: string, { user, nonce, said, credentials, known }: First): SaslStep {
    const [, bound, binding, theirNonce, proof] = /^(c=([^,]+),r=([^,]+)),p=([^,]+)$/.exec(text) ?? [];
    const proofBytes = fromBase64(proof ?? "");
    if (bound === undefined || theirNonce !== nonce || proofBytes === null || !isBinding(binding)) {
      return { state: "failed" };
    }
    const all = `${said},${bound}`;
    const clientKey = xor(proofBytes, signatureOf(credentials.storedKey, all));
    if (!isSame(hashOf(clientKey), credentials.storedKey) || !known) return { state: "failed" };
    const signature = toBase64(signatureOf(credentials.serverKey, all));
    return { state: "authenticated", identity: user, additional: encodeUtf8(`v=${signature}`) };
  }

  /** What a user that does not exist is asked with, so that nobody learns which ones do. */
  #nobody(user: string): ScramCredentials {
    const made = signatureOf(this.#users.secret, user);
    return { salt: made.slice(0, 16), iterations: ITERATIONS, storedKey: made, serverKey: made };
  }
}

/** Whether the header that comes again in the end is one of those that are taken: no binding of a channel. */
function isBinding(text: string | undefined): boolean {
  const bytes = fromBase64(text ?? "");
  return bytes !== null && /^[ny],(?:a=[^,]*)?,$/.test(textFrom(bytes) ?? "");
}

/** SCRAM-SHA-256 for a client, which then also knows that the server knows the password. `nonce` as for `ScramUsers`. */
export function scramClient(user: string, password: string, nonce: string): SaslClient {
  const bare = `n=${escapeName(user)},r=${nonce}`;
  let signature: Uint8Array | null = null;
  let proved = false;
  const believe = (text: string | null): boolean => {
    const given = fromBase64(/^v=(.+)$/.exec(text ?? "")?.[1] ?? "");
    proved ||= signature !== null && given !== null && isSame(given, signature);
    return proved;
  };
  return {
    name: SCRAM,
    begin: () => encodeUtf8(`n,,${bare}`),
    respond(challenge) {
      const text = textFrom(challenge);
      // Some servers say the last thing as a challenge, which wants an empty answer.
      if (signature !== null) return believe(text) ? new Uint8Array(0) : null;
      const answer = answerTo(text ?? "", bare, nonce, password);
      signature = answer?.signature ?? null;
      return answer?.bytes ?? null;
    },
    finish: (additional) => proved || (additional !== null && believe(textFrom(additional))),
  };
}

function answerTo(
  challenge: string,
  bare: string,
  nonce: string,
  password: string,
): { readonly bytes: Uint8Array; readonly signature: Uint8Array } | null {
  const [, theirNonce, saltText, count] = /^r=([^,]+),s=([^,]+),i=(\d{1,9})(?:,.*)?$/.exec(challenge) ?? [];
  const salt = fromBase64(saltText ?? "");
  const iterations = Number(count);
  if (theirNonce === undefined || salt === null || !theirNonce.startsWith(nonce) || theirNonce === nonce) return null;
  if (iterations < 1 || iterations > ITERATIONS_MAX) return null;
  const bound = `c=${GS2},r=${theirNonce}`;
  const all = `${bare},${challenge},${bound}`;
  const salted = saltedPassword(password, salt, iterations);
  const clientKey = clientKeyOf(salted);
  const proof = xor(clientKey, signatureOf(hashOf(clientKey), all));
  return { bytes: encodeUtf8(`${bound},p=${toBase64(proof)}`), signature: signatureOf(serverKeyOf(salted), all) };
}

function escapeName(name: string): string {
  return name.normalize("NFKC").replaceAll("=", "=3D").replaceAll(",", "=2C");
}

function unescapeName(name: string): string | null {
  if (/=(?!2C|3D)/.test(name)) return null;
  return name.replaceAll("=2C", ",").replaceAll("=3D", "=");
}
