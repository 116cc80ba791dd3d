import { homedir } from "node:os";
import { join } from "node:path";
import { credentialSettings, loadCredentials, type TlsSettings } from "@datawire/link/client";
import { type DirectoryAddress, parseDirectoryAddress } from "@datawire/protocol";
import {
  commonVariables,
  ConfigError,
  type DaemonInput,
  type Env,
  listenOrOffSetting,
  type ListenAddress,
  listenSetting,
  loadSettings,
  parsedBy,
  parseListenAddress,
  type Path,
  type Problem,
  textLike,
} from "@datawire/runtime";
import { z } from "zod";
import type { User } from "../access/rights.ts";
import { parsePattern } from "@datawire/protocol";
import { AddressRules } from "../address/rules.ts";
import { type AuthSettings, authSetting, readAuth } from "./auth-settings.ts";
import { addressRuleSetting } from "./address-settings.ts";
import { byteSizeFrom } from "./byte-size.ts";
import type { ConnectionLimits } from "./limits.ts";
import { type WebSettings, webSettings, webShape, whyNotOpen } from "./web-settings.ts";
import { processesSetting } from "./processes-setting.ts";
import { readTlsFiles } from "./tls-files.ts";
import { getsCertificate, type RouterTls } from "./router-tls.ts";
import { checkUpstreams, readUpstreams, type UpstreamSettings, upstreamsSetting } from "./upstream-settings.ts";

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
  /** The addresses of its directory; none where it works alone. */
  readonly directories: readonly DirectoryAddress[];
  /** What it proves itself with to the directory, and knows that by. */
  readonly proof: { readonly token: string | null; readonly tls: TlsSettings | null };
  readonly rules: AddressRules;
  readonly upstreams: readonly UpstreamSettings[];
  /** How many processes share the work. */
  readonly processes: number | "auto";
  readonly log: { readonly segmentBytes: number; readonly reserveBytes: number };
  readonly limits: ConnectionLimits & { readonly connections: number };
}

/** Where clients come to. */
export const AMQP_PORT = 5672;
const AMQPS_PORT = 5671;
const DEFAULT_ADMIN = "127.0.0.1:5434";

const directory = parsedBy(parseDirectoryAddress, "the address of a directory such as //localhost/directory");
const ofBound = (most: number) =>
  z
    .int()
    .min(1)
    .max(most)
    .meta({ wanted: `a number from 1 to ${most}` });

const patternSetting = parsedBy(parsePattern, "an address in which * stands for one segment and ** for the rest");
const patterns = z.union([patternSetting.transform((one) => [one]), z.array(patternSetting)]).default([]);

const userSetting = z
  .strictObject({
    name: z.string().min(1).max(255).meta({ description: "As it says itself, or as its certificate does." }),
    password: z
      .string()
      .min(1)
      .optional()
      .meta({ secret: true, description: "For PLAIN and SCRAM-SHA-256.", otherwise: "none: a certificate has to do" }),
    send: patterns.meta({ description: "Addresses that it may send to." }),
    listen: patterns.meta({ description: "Addresses that it may receive from." }),
  })
  .transform(({ password = null, ...rest }): User => ({ password, ...rest }));

/** `router.yaml`. */
export const settingsSchema = z.strictObject({
  host: textLike(/^[A-Za-z0-9_.:-]{1,253}$/, "a host name or an IP address")
    .default("localhost")
    .meta({ description: "The name that the router is known by; no address may begin with it." }),
  listen: listenSetting.optional().meta({ description: "AMQP.", otherwise: "`127.0.0.1:5672`" }),
  admin: listenOrOffSetting.optional().meta({
    description: "`/healthz`, `/readyz`, `/metrics` and `/v1/status`, or `off`.",
    otherwise: "`127.0.0.1:5434`",
  }),
  ...webShape,
  data_dir: z.string().min(1).optional().meta({
    description: "The log, which has all messages.",
    otherwise: "`/var/lib/datawire/router`; when not root, below `$XDG_STATE_HOME`",
  }),
  directories: z
    .union([directory.transform((one) => [one]), z.array(directory)])
    .default([])
    .meta({
      description:
        "The directory that it follows, whose name may stand in front of addresses; a list holds the other addresses of the same one.",
      otherwise: "none: it works alone",
    }),
  token: credentialSettings.token,
  token_file: credentialSettings.token_file,
  addresses: z
    .union([addressRuleSetting.transform((one) => [one]), z.array(addressRuleSetting)])
    .default([])
    .meta({ description: "What addresses are, and how their messages are kept." }),
  upstreams: upstreamsSetting,
  auth: authSetting,
  users: z
    .union([userSetting.transform((one) => [one]), z.array(userSetting)])
    .default([])
    .meta({ description: "Who may come, and what they may do." }),
  tls: z
    .strictObject({
      cert: z.string().min(1).optional().meta({
        description:
          "File of the certificate, with those between it and its authority: turns AMQP over TLS on. It is read again when it changes.",
        otherwise: "one of the directory's authority, beyond loopback or with `tls_listen`",
      }),
      key: z.string().min(1).optional().meta({ description: "File of its key.", otherwise: "none" }),
      client_ca: z.string().min(1).optional().meta({
        description: "File of the authorities of clients' certificates; the CN is the user.",
        otherwise: "none",
      }),
      ca: z.string().min(1).optional().meta({
        description:
          "File of the authority that signed the directory's certificate; needed only with certificates of your own.",
        otherwise: "the fingerprint in the token, else the system's authorities",
      }),
    })
    .optional()
    .meta({ description: "Certificates.", otherwise: "none" }),
  tls_listen: listenSetting.optional().meta({
    description: "AMQP over TLS.",
    otherwise: "port 5671 of the host of `listen`, where there is a certificate",
  }),
  processes: processesSetting.default(1),
  log: z
    .strictObject({
      segment: byteSizeFrom(2 ** 16, 2 ** 30)
        .default(64 * 2 ** 20)
        .meta({
          description: "What a file of the log may reach before the next is begun; they are removed as a whole.",
        }),
      reserve: byteSizeFrom(0, 2 ** 30)
        .default(4 * 2 ** 20)
        .meta({
          description: "Room that is kept for the moment at which the disk is full, so that consumers can go on.",
        }),
    })
    .prefault({})
    .meta({ description: "How the log is kept." }),
  limits: z
    .strictObject({
      connections: ofBound(1_000_000).default(20_000).meta({ description: "Of all clients together." }),
      sessions: ofBound(65_536).default(256).meta({ description: "Of a connection." }),
      links: ofBound(1_000_000).default(4_096).meta({ description: "Of a connection." }),
      frame: byteSizeFrom(512, 16 * 2 ** 20)
        .default(64 * 1_024)
        .meta({ description: "The largest frame that is taken." }),
      message: byteSizeFrom(1, 128 * 2 ** 20)
        .default(100 * 2 ** 20)
        .meta({ description: "The largest message that is taken." }),
      websocket: byteSizeFrom(65_536, 128 * 2 ** 20)
        .default(2 ** 20)
        .meta({ description: "The largest message of a WebSocket, which holds frames." }),
      unsettled: ofBound(1_000_000)
        .default(50_000)
        .meta({ description: "Messages that a consumer may have and not have settled." }),
    })
    .prefault({})
    .meta({ description: "Bounds, each with a refusal that names it." }),
});

/**
 * Loads router.yaml, the environment and the command line; binds nothing.
 * @throws ConfigError with every problem.
 */
export async function loadRouterSettings(input: DaemonInput): Promise<RouterSettings> {
  const { options, directories, env } = input;
  const { value, locate } = await loadSettings({
    name: "router",
    schema: settingsSchema,
    file: input.config,
    env,
    variables: commonVariables,
    flags: [
      { from: "-d/--directory", path: ["directories"], value: directories.length > 0 ? directories : undefined },
      { from: "-n/--host", path: ["host"], value: options["host"] },
      { from: "-p/--port", path: ["listen"], value: portOf(options["port"]) },
      { from: "--listen", path: ["listen"], value: options["listen"] },
      { from: "--tls-listen", path: ["tls_listen"], value: options["tlsListen"] },
      { from: "--admin", path: ["admin"], value: options["admin"] },
      { from: "--web", path: ["web"], value: options["web"] },
      { from: "--services-dir", path: ["services_dir"], value: options["servicesDir"] },
      { from: "--data-dir", path: ["data_dir"], value: options["dataDir"] },
    ],
  });
  const listen = value.listen ?? { host: "127.0.0.1", port: AMQP_PORT };
  const problems: Problem[] = [];
  const refuse = (path: string | Path, message: string): void => {
    // It is what is missing in the file, wherever the address was given.
    const place = locate(typeof path === "string" ? [path] : path);
    problems.push({ ...(place?.line === undefined ? { file: "router.yaml" } : place), message });
  };
  const tlsListen = value.tls_listen ?? { host: listen.host, port: AMQPS_PORT };
  const { cert, key, client_ca, ca } = value.tls ?? {};
  const { token, token_file } = value;
  const proof = await loadCredentials({ token, token_file, tls: { ca } }, { file: "router.yaml", locate }).catch(
    (error: unknown) => {
      if (!(error instanceof ConfigError)) throw error;
      problems.push(...error.problems);
      return { token: null, tls: null };
    },
  );
  if ((cert === undefined) !== (key === undefined))
    refuse("tls", "tls.cert and tls.key go together: wanted both or neither");
  const hasFiles = cert !== undefined && key !== undefined;
  const isCertified =
    cert === undefined &&
    key === undefined &&
    getsCertificate({ ...value, mode: value.auth?.mode, listen, token: proof.token });
  if (client_ca !== undefined && cert === undefined && !isCertified)
    refuse("tls", "tls.client_ca is for clients that come over TLS: wanted tls.cert and tls.key");
  const {
    mode,
    auth,
    problems: ofAuth,
  } = readAuth({
    mode: value.auth?.mode,
    users: value.users,
    hasDirectory: value.directories.length > 0,
    listen,
    tlsListen: hasFiles || isCertified ? tlsListen : null,
  });
  for (const { key: at, message } of ofAuth) refuse(at, message);
  const web = webSettings(value, value.limits.websocket);
  const whyNoWeb = web !== null && mode === null ? whyNotOpen(web) : null;
  if (whyNoWeb !== null) refuse("web", whyNoWeb);
  const files = { cert: hasFiles ? cert : undefined, key, client_ca };
  const { tls: own, clientCa, problems: ofTls } = await readTlsFiles(files, locate);
  problems.push(...ofTls);
  checkUpstreams(value.addresses, value.upstreams, { locate, refuse });
  const upstreams = await readUpstreams(value.upstreams, { locate, refuse });
  if (problems.length > 0) throw new ConfigError(problems);
  const { connections, sessions, links, frame, message, unsettled } = value.limits;
  return {
    host: value.host,
    listen,
    tls:
      hasFiles || isCertified
        ? {
            listen: tlsListen,
            own,
            clientCa,
            readAgain: async () => (hasFiles ? (await readTlsFiles(files, locate)).tls : null),
          }
        : null,
    auth,
    admin: value.admin === undefined ? parseListenAddress(DEFAULT_ADMIN) : value.admin,
    web,
    dataDir: value.data_dir ?? defaultDataDir(env),
    directories: value.directories,
    proof,
    rules: new AddressRules(value.addresses),
    upstreams,
    processes: value.processes,
    log: { segmentBytes: value.log.segment, reserveBytes: value.log.reserve },
    limits: { connections, sessions, links, frameBytes: frame, messageBytes: message, unsettled },
  };
}

/** `-p 5672` keeps to loopback. */
function portOf(port: unknown): string | undefined {
  return typeof port === "string" ? `127.0.0.1:${port}` : undefined;
}

function defaultDataDir(env: Env): string {
  if (process.getuid?.() === 0) return "/var/lib/datawire/router";
  const state = env["XDG_STATE_HOME"] || join(env["HOME"] || homedir(), ".local", "state");
  return join(state, "datawire", "router");
}
