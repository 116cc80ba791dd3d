import { homedir } from "node:os";
import { join } from "node:path";
import { type DirectoryAddress, parseDirectoryAddress } from "@datawire/protocol";
import {
  commonVariables,
  ConfigError,
  type DaemonInput,
  type Env,
  formatListenAddress,
  isLoopback,
  listenOrOffSetting,
  type ListenAddress,
  listenSetting,
  loadSettings,
  parsedBy,
  parseListenAddress,
  textLike,
} from "@datawire/runtime";
import { z } from "zod";
import { AddressRules } from "../address/rules.ts";
import { addressRuleSetting } from "./address-settings.ts";
import { byteSizeFrom } from "./byte-size.ts";
import type { ConnectionLimits } from "./limits.ts";

/** What a router runs with. */
export interface RouterSettings {
  /** The name that it is known by. */
  readonly host: string;
  readonly listen: ListenAddress;
  readonly admin: ListenAddress | null;
  readonly dataDir: string;
  readonly directories: readonly DirectoryAddress[];
  readonly rules: AddressRules;
  readonly limits: ConnectionLimits & { readonly connections: number };
}

/** Where clients come to. */
export const AMQP_PORT = 5672;
const DEFAULT_ADMIN = "127.0.0.1:5434";

const directory = parsedBy(parseDirectoryAddress, "the address of a directory such as //localhost/directory");
const ofBound = (most: number) =>
  z
    .int()
    .min(1)
    .max(most)
    .meta({ wanted: `a number from 1 to ${most}` });

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
  data_dir: z.string().min(1).optional().meta({
    description: "The log, which has all messages.",
    otherwise: "`/var/lib/datawire/router`; when not root, below `$XDG_STATE_HOME`",
  }),
  directories: z
    .union([directory.transform((one) => [one]), z.array(directory)])
    .default([])
    .meta({ description: "Directories whose names may stand in front of addresses, as in `//services/orders`." }),
  addresses: z
    .union([addressRuleSetting.transform((one) => [one]), z.array(addressRuleSetting)])
    .default([])
    .meta({ description: "What addresses are, and how their messages are kept." }),
  auth: z
    .strictObject({ mode: z.literal("none").meta({ wanted: "none", description: "`none`: there are no users." }) })
    .optional()
    .meta({
      description: "`mode: none` lets everybody do everything, beyond loopback too.",
      otherwise: "none, on loopback alone",
    }),
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
    variables: { DATAWIRE_DIRECTORY: commonVariables.DATAWIRE_DIRECTORY },
    flags: [
      { from: "-d/--directory", path: ["directories"], value: directories.length > 0 ? directories : undefined },
      { from: "-n/--host", path: ["host"], value: options["host"] },
      { from: "-p/--port", path: ["listen"], value: portOf(options["port"]) },
      { from: "--listen", path: ["listen"], value: options["listen"] },
      { from: "--admin", path: ["admin"], value: options["admin"] },
      { from: "--data-dir", path: ["data_dir"], value: options["dataDir"] },
    ],
  });
  const listen = value.listen ?? { host: "127.0.0.1", port: AMQP_PORT };
  if (!isLoopback(listen.host) && value.auth === undefined) {
    const message = `${formatListenAddress(listen)} is reached from other machines, and this router has no way to know who comes: wanted an address on loopback, or \`auth: { mode: none }\` to let everybody do everything`;
    // It is what is missing in the file, wherever the address was given.
    const place = locate(["listen"]);
    throw new ConfigError([{ ...(place?.line === undefined ? { file: "router.yaml" } : place), message }]);
  }
  const { connections, sessions, links, frame, message, unsettled } = value.limits;
  return {
    host: value.host,
    listen,
    admin: value.admin === undefined ? parseListenAddress(DEFAULT_ADMIN) : value.admin,
    dataDir: value.data_dir ?? defaultDataDir(env),
    directories: value.directories,
    rules: new AddressRules(value.addresses),
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
