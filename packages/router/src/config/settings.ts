import { loadCredentials, type TlsSettings } from "@datawire/link/client";
import type { DirectoryAddress } from "@datawire/protocol";
import {
  commonVariables,
  givenFlags,
  ConfigError,
  defaultDataDir,
  type DaemonInput,
  type Given,
  type ListenAddress,
  loadSettings,
  parseListenAddress,
  type Path,
  type Place,
  type Problem,
} from "@datawire/runtime";
import { AddressRules } from "../address/rules.ts";
import { type AuthSettings, readAuth } from "./auth-settings.ts";
import type { ConnectionLimits } from "./limits.ts";
import { getsCertificate, type RouterTls } from "./router-tls.ts";
import { type RouterValues, settingsSchema } from "./settings-schema.ts";
import { readTlsFiles } from "./tls-files.ts";
import { checkUpstreams, readUpstreams, type UpstreamSettings } from "./upstream-settings.ts";
import { type WebSettings, webSettings, whyNotOpen } from "./web-settings.ts";

/** What a router runs with. */
export interface RouterSettings {
  /** The name that it is known by. */
  readonly host: string;
  readonly listen: ListenAddress;
  /** Null without TLS. */
  readonly tls: RouterTls | null;
  /** Null: everybody may come, and do everything. */
  readonly auth: AuthSettings | null;
  readonly admin: ListenAddress | null;
  readonly web: WebSettings | null;
  readonly dataDir: string;
  /** Where it was given. */
  readonly dataDirPlace: Place;
  /** The addresses of its directory; none where it works alone. */
  readonly directories: readonly DirectoryAddress[];
  /** What it proves itself with to the directory, and knows that by. */
  readonly proof: { readonly token: string | null; readonly tls: TlsSettings | null };
  readonly rules: AddressRules;
  readonly upstreams: readonly UpstreamSettings[];
  /** How many processes share the work. */
  readonly processes: number | "auto";
  readonly log: { readonly segmentBytes: number; readonly reserveBytes: number };
  readonly limits: ConnectionLimits & { readonly addresses: number; readonly connections: number };
}

/** Where clients come to. */
export const AMQP_PORT = 5672;
const AMQPS_PORT = 5671;
const DEFAULT_ADMIN = "127.0.0.1:5434";

/**
 * Loads router.yaml, the environment and the command line; binds nothing.
 * @throws ConfigError with every problem.
 */
export async function loadRouterSettings(input: DaemonInput): Promise<RouterSettings> {
  const { env } = input;
  const { value, locate } = await loadSettings({
    name: "router",
    schema: settingsSchema,
    file: input.config,
    env,
    variables: commonVariables,
    flags: flagsOf(input),
  });
  const problems: Problem[] = [];
  const refuse: Refuse = (path, message) => {
    // It is what is missing in the file, wherever the address was given.
    const place = locate(typeof path === "string" ? [path] : path);
    problems.push({ ...(place?.line === undefined ? { file: "router.yaml" } : place), message });
  };
  const listen = value.listen ?? { host: "127.0.0.1", port: AMQP_PORT };
  const { token, token_file } = value;
  const credentials = { token, token_file, tls: { ca: value.tls?.ca } };
  const proof = await loadCredentials(credentials, { file: "router.yaml", locate }).catch((error: unknown) => {
    if (!(error instanceof ConfigError)) throw error;
    problems.push(...error.problems);
    return { token: null, tls: null };
  });
  const certificate = certificateOf(value, { listen, token: proof.token, refuse });
  const tlsListen = certificate === "none" ? null : (value.tls_listen ?? { host: listen.host, port: AMQPS_PORT });
  const {
    mode,
    auth,
    problems: ofAuth,
  } = readAuth({
    mode: value.auth?.mode,
    users: value.users,
    hasDirectory: value.directories.length > 0,
    listen,
    tlsListen,
  });
  for (const { key: at, message } of ofAuth) refuse(at, message);
  const web = webSettings(value, value.limits.websocket);
  const whyNoWeb = web !== null && mode === null ? whyNotOpen(web) : null;
  if (whyNoWeb !== null) refuse("web", whyNoWeb);
  const { cert, key, client_ca } = value.tls ?? {};
  const files = { cert: certificate === "files" ? cert : undefined, key, client_ca };
  const { tls: own, clientCa, problems: ofTls } = await readTlsFiles(files, locate);
  problems.push(...ofTls);
  checkUpstreams(value.addresses, value.upstreams, { locate, refuse });
  const upstreams = await readUpstreams(value.upstreams, { locate, refuse });
  if (problems.length > 0) throw new ConfigError(problems);
  const readAgain = async () => (certificate === "files" ? (await readTlsFiles(files, locate)).tls : null);
  const { addresses, connections, sessions, links, frame, message, unsettled } = value.limits;
  return {
    host: value.host,
    listen,
    tls: tlsListen && { listen: tlsListen, own, clientCa, readAgain },
    auth,
    admin: value.admin === undefined ? parseListenAddress(DEFAULT_ADMIN) : value.admin,
    web,
    dataDir: value.data_dir ?? defaultDataDir("router", env),
    dataDirPlace: locate(["data_dir"]) ?? { file: "router.yaml" },
    directories: value.directories,
    proof,
    rules: new AddressRules(value.addresses),
    upstreams,
    processes: value.processes,
    log: { segmentBytes: value.log.segment, reserveBytes: value.log.reserve },
    limits: { addresses, connections, sessions, links, frameBytes: frame, messageBytes: message, unsettled },
  };
}

/** Notes what is wrong with a key, at the place where it was set. */
type Refuse = (path: string | Path, message: string) => void;

/** Which flag gives which setting, beside those with a short form. */
const FLAGS = {
  listen: ["listen"],
  "tls-listen": ["tls_listen"],
  admin: ["admin"],
  web: ["web"],
  "services-dir": ["services_dir"],
  "data-dir": ["data_dir"],
};

function flagsOf(input: DaemonInput): Given[] {
  const { options } = input;
  return [
    { from: "-n/--host", path: ["host"], value: options["host"] },
    { from: "-p/--port", path: ["listen"], value: portOf(options["port"]) },
    ...givenFlags(input, FLAGS),
  ];
}

/** Where the certificate of the port over TLS comes from: its files, the directory, or nowhere, and then there is no such port. */
function certificateOf(
  value: RouterValues,
  { listen, token, refuse }: { readonly listen: ListenAddress; readonly token: string | null; readonly refuse: Refuse },
): "files" | "directory" | "none" {
  const { cert, key, client_ca } = value.tls ?? {};
  if ((cert === undefined) !== (key === undefined))
    refuse("tls", "tls.cert and tls.key go together: wanted both or neither");
  if (cert !== undefined) return key === undefined ? "none" : "files";
  if (key === undefined && getsCertificate({ ...value, mode: value.auth?.mode, listen, token })) return "directory";
  if (client_ca !== undefined)
    refuse("tls", "tls.client_ca is for clients that come over TLS: wanted tls.cert and tls.key");
  return "none";
}

/** `-p 5672` keeps to loopback. */
function portOf(port: unknown): string | undefined {
  return typeof port === "string" ? `127.0.0.1:${port}` : undefined;
}
