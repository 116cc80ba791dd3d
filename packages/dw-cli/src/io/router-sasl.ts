import { randomBytes } from "node:crypto";
import { isIP } from "node:net";
import { anonymousClient, plainClient, type SaslClient, scramClient } from "@datawire/amqp";
import type { Login, RouterUrl } from "@datawire/microserver/transport";

/** The ways to say who we are, the best first; what a router does not offer is passed over. */
export function saslOf({ isTls, host, user, password }: RouterUrl, token: string | null): SaslClient[] {
  const isSafe = isTls || isThisMachine(host);
  if (password !== null) {
    const name = user ?? "dw";
    const scram = scramClient(name, password, randomBytes(18).toString("base64"));
    return isSafe ? [scram, plainClient(name, password), anonymousClient()] : [scram];
  }
  // A token goes over TLS, or to this machine.
  if (token !== null && isSafe) return [plainClient(user ?? "dw", token), anonymousClient()];
  return [anonymousClient()];
}

const WANTED =
  "a token (`token_file` in dw.yaml, or DATAWIRE_TOKEN), or a user and password (-r amqp://USER:PASSWORD@HOST)";

/** A router as it is told of, with nothing secret in it. */
export const shownUrl = ({ isTls, host, port }: RouterUrl): string => `${isTls ? "amqps://" : ""}${host}:${port}`;

/** What is told of a login that is refused. */
export function loginOf(url: RouterUrl, token: string | null): Login {
  const hasToken = token !== null && (url.isTls || isThisMachine(url.host));
  const proof = url.password === null ? (hasToken ? "token" : null) : "password";
  return { router: shownUrl(url), proof, wanted: WANTED };
}

const isThisMachine = (host: string): boolean =>
  host === "localhost" || (isIP(host) === 4 ? host.startsWith("127.") : host === "::1");
