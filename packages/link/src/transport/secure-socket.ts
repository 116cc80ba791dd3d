import { createHash, type X509Certificate } from "node:crypto";
import type { Duplex } from "node:stream";
import {
  checkServerIdentity,
  connect,
  createSecureContext,
  type ConnectionOptions,
  type PeerCertificate,
  type TLSSocket,
} from "node:tls";
import { isIP } from "node:net";
import { ROUTER_COMMON_NAME } from "@datawire/protocol";
import { describeError, explainSystemError, systemErrorCode } from "@datawire/runtime";
import { ownCertificate, type TlsSettings, type Trust } from "../credentials/tls.ts";

const HANDSHAKE_MS_MAX = 5_000;

type Opened = (error: Error | null, socket?: Duplex) => void;
/** As `http.request` calls its `createConnection`: what is called back is ready for the first request. */
type CreateConnection = (options: object, opened: Opened) => undefined;

interface SecureOptions {
  readonly ca?: string;
  readonly cert?: string;
  readonly key?: string;
  readonly checkServerIdentity?: typeof checkServerIdentity;
  readonly createConnection?: CreateConnection;
}

/** The options that make a request of `node:https` verify whom it talks to. */
export function secureOptions(
  trust: Exclude<Trust, { readonly state: "none" }>,
  tls: TlsSettings | null,
): SecureOptions {
  const own = ownCertificate(tls);
  switch (trust.state) {
    case "system":
      return own;
    case "authority":
      return { ...own, ca: trust.ca, checkServerIdentity: checkDirectory };
    case "pinned": {
      const { fingerprint } = trust;
      const createConnection: CreateConnection = (options, opened) =>
        connectPinned({ ...options, ...own }, fingerprint, opened);
      return { ...own, createConnection };
    }
  }
}

/** The problem of these certificates that no server could make up for; null when there is none. */
export function certificateProblem(tls: TlsSettings | null): string | null {
  if (tls === null) return null;
  const { ca, cert, key } = tls;
  try {
    createSecureContext({ ...(ca === null ? {} : { ca }), ...ownCertificate(tls) });
    return null;
  } catch (error) {
    const given = Object.entries({ "tls.ca": ca, "tls.cert": cert, "tls.key": key }).filter(([, pem]) => pem !== null);
    const names = given.map(([name]) => name).join(", ");
    return `Cannot use what is in ${names}: ${describeError(error)}; wanted certificates and their key in PEM`;
  }
}

/**
 * Connects to the holder of a certificate that the authority with this fingerprint signed. That authority signs for
 * its directory and for routers, which are refused, so any address will do: port forwarding and names that it does not know
 * disturb nothing.
 * The socket is not handed out, so nothing is sent, before the other side is verified.
 */
function connectPinned(options: ConnectionOptions, fingerprint: string, opened: Opened): undefined {
  // `http` gives the path of the request here, which `tls` would take for that of a Unix socket.
  const { path: _path, ...rest } = options;
  const socket = connect({ ...rest, rejectUnauthorized: false });
  socket.setTimeout(HANDSHAKE_MS_MAX, () =>
    socket.destroy(new Error(`no TLS handshake within ${HANDSHAKE_MS_MAX / 1_000} s`)),
  );
  socket.once("error", opened);
  socket.once("secureConnect", () => {
    socket.setTimeout(0);
    const why = distrust(socket, fingerprint);
    if (why !== null) return void socket.destroy(new Error(why));
    socket.off("error", opened);
    opened(null, socket);
  });
  return undefined;
}

/** Where a router is reached. */
export interface RouterPlace {
  readonly host: string;
  readonly port: number;
}

/** How a router is connected to. */
export interface RouterSocketOptions {
  /** Ends the wait. */
  readonly signal?: AbortSignal | undefined;
  /** A certificate of our own with its key, PEM; default: none is shown. */
  readonly cert?: string;
  readonly key?: string;
}

/**
 * Connects to a router over TLS. It is believed by a certificate of the system's authorities for its name, or by one that the
 * authority with this fingerprint signed for a router, whatever its name.
 * @throws Error that says why it cannot be reached, or is not believed.
 */
export function connectRouter(
  { host, port }: RouterPlace,
  fingerprint: string,
  { signal, ...own }: RouterSocketOptions = {},
): Promise<TLSSocket> {
  const named = isIP(host) === 0 ? { servername: host } : {};
  const socket = connect({ host, port, ...named, ...own, rejectUnauthorized: false });
  socket.setTimeout(HANDSHAKE_MS_MAX, () => socket.destroy(new Error("it does not answer")));
  const stop = (): void => void socket.destroy(new Error("the wait for it was ended"));
  if (signal?.aborted === true) stop();
  signal?.addEventListener("abort", stop, { once: true });
  return new Promise<TLSSocket>((resolve, reject) => {
    socket.once("error", reject);
    socket.once("secureConnect", () => {
      socket.setTimeout(0);
      const why = whyNotRouter(socket, fingerprint);
      if (why !== null) return void socket.destroy(new Error(why));
      socket.off("error", reject);
      resolve(socket);
    });
  }).finally(() => signal?.removeEventListener("abort", stop));
}

/**
 * Why the other side of a socket, which refuses nobody itself, is no router to be believed, as `connectRouter` believes them;
 * null when it is one.
 */
export function whyNotRouter(socket: TLSSocket, fingerprint: string): string | null {
  return socket.authorized ? null : distrust(socket, fingerprint, "router");
}

/** The authority signs for routers too, and a router is no directory, whatever its names are. */
function checkDirectory(host: string, certificate: PeerCertificate): Error | undefined {
  if (certificate.subject?.CN === ROUTER_COMMON_NAME) return new Error(OF_ROUTER);
  return checkServerIdentity(host, certificate);
}

const OF_ROUTER = "its certificate is that of a router, and no directory's";

/** Why the other side is not the directory that the fingerprint is of, or no router of it; null when it is. */
function distrust(socket: TLSSocket, fingerprint: string, wanted: "directory" | "router" = "directory"): string | null {
  const own = socket.getPeerX509Certificate();
  const authority = own?.issuerCertificate;
  if (own === undefined || authority === undefined || fingerprintOf(authority) !== fingerprint)
    return "its certificate is not of the authority that the token names: is this the directory that made the token?";
  if (!own.checkIssued(authority) || !own.verify(authority.publicKey))
    return "its certificate is not signed by the authority that the token names";
  const isRouter = own.subject.split("\n").includes(`CN=${ROUTER_COMMON_NAME}`);
  if (isRouter !== (wanted === "router")) return isRouter ? OF_ROUTER : "its certificate is that of a directory";
  const nowMs = Date.now();
  if (nowMs > Date.parse(own.validTo)) return `its certificate has ended on ${own.validTo}`;
  if (nowMs < Date.parse(own.validFrom))
    return `its certificate holds only from ${own.validFrom}: is the clock of this machine right?`;
  return null;
}

/** As tokens carry it: SHA-256 of the public key, so that an authority may renew its certificate. */
function fingerprintOf({ publicKey }: X509Certificate): string {
  return createHash("sha256")
    .update(publicKey.export({ type: "spki", format: "der" }))
    .digest("base64url");
}

/** What a failure of a connection means, in words; those of TLS say what to set. */
export function explainConnectionError(error: unknown): string {
  const code = systemErrorCode(error) ?? "";
  if (code === "EPROTO" || code === "ERR_SSL_WRONG_VERSION_NUMBER" || code === "ERR_SSL_PACKET_LENGTH_TOO_LONG")
    return "it does not speak TLS, or refuses ours; wanted TLS, as the token, tls.ca or wss:// says";
  if (code === "ERR_SSL_TLSV13_ALERT_CERTIFICATE_REQUIRED")
    return "it wants a certificate of its clients: wanted tls: { cert, key } in the settings, of the authority of its client_ca";
  if (UNTRUSTED.has(code)) {
    return "its certificate is of an authority that is not trusted here: wanted one of its tokens (DATAWIRE_TOKEN or token_file), or its authority as tls.ca";
  }
  return explainSystemError(error);
}

const UNTRUSTED: ReadonlySet<string> = new Set([
  "SELF_SIGNED_CERT_IN_CHAIN",
  "DEPTH_ZERO_SELF_SIGNED_CERT",
  "UNABLE_TO_VERIFY_LEAF_SIGNATURE",
  "UNABLE_TO_GET_ISSUER_CERT",
  "UNABLE_TO_GET_ISSUER_CERT_LOCALLY",
]);
