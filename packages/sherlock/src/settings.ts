import { hostname, homedir } from "node:os";
import { isAbsolute, join } from "node:path";
import { loadCredentials, type TlsSettings } from "@datawire/link";
import {
  type DirectoryAddress,
  isName,
  NAME_PATTERN,
  NAME_RULE,
  parseBalance,
  parseDirectoryAddress,
  parsePercent,
  SLOTS,
} from "@datawire/protocol";
import {
  ConfigError,
  type DaemonInput,
  durationSetting,
  type Env,
  type Given,
  listenOrOffSetting,
  type ListenAddress,
  listenSetting,
  loadSettings,
  parsedBy,
  parseListenAddress,
} from "@datawire/runtime";
import { z } from "zod";
import type { ServiceOverride } from "./core/limits.ts";
import type { TcpSettings } from "./core/tcp-ports.ts";

/** What a Sherlock runs with. */
export interface SherlockSettings {
  /** The addresses of its directory; more than one where it is replicated. */
  readonly replicas: readonly [DirectoryAddress, ...DirectoryAddress[]];
  /** The caller that routes can single out. */
  readonly name: string;
  /** Null for the default: loopback, in both families where the machine has them. */
  readonly listen: ListenAddress | null;
  readonly admin: ListenAddress | null;
  readonly zone: string | null;
  readonly haproxy: {
    /** Null to look for it. */
    readonly command: string | null;
    readonly template: string | null;
    readonly runDir: string;
    /** Bounds how long a request may hold an old worker after a reload. */
    readonly hardStopAfterMs: number;
    /** Null for as many as the limit on open files allows, up to a bound. */
    readonly maxConnections: number | null;
    readonly caFile: string;
  };
  readonly tcp: TcpSettings;
  readonly accessLog: boolean;
  /** One request in so many is looked at for its latency; null for none. */
  readonly percentiles: number | null;
  readonly overrides: ReadonlyMap<string, ServiceOverride>;
  /** Where the last table and the last addresses are kept. */
  readonly dataDir: string;
  /** How long open requests may take when Sherlock stops. */
  readonly drainMs: number;
  readonly token: string | null;
  readonly tls: TlsSettings | null;
  readonly env: Env;
}

const DEFAULT_ADMIN = "127.0.0.1:5433";

const directory = parsedBy(parseDirectoryAddress, "the address of a directory such as //localhost/directory");
const path = z.string().min(1);
/** Goes into HAProxy's configuration. */
const safePath = z
  .string()
  .regex(/^\/[A-Za-z0-9._/@+-]*$/)
  .meta({ wanted: "an absolute path of letters, digits and . _ / @ + -" });
const name = z.string().regex(NAME_PATTERN).meta({ wanted: NAME_RULE });

const portRange = parsedBy((text) => {
  const match = /^(\d{1,5})-(\d{1,5})$/.exec(text.trim());
  const [from, to] = [Number(match?.[1]), Number(match?.[2])];
  if (match === null || from < 1 || to > 65_535 || from > to) throw new Error("no range");
  return { from, to };
}, "a range of ports such as 6000-6999");

const overrideSchema = z.strictObject({
  timeout: durationSetting
    .optional()
    .meta({ description: "For the first byte of a response.", otherwise: "as the directory says" }),
  connect_timeout: durationSetting
    .optional()
    .meta({ description: "For a connection to an instance.", otherwise: "as the directory says" }),
  queue_timeout: durationSetting.optional().meta({
    description: "For a free connection when `max_connections` is reached.",
    otherwise: "as the directory says",
  }),
  retries: z
    .int()
    .min(0)
    .max(10)
    .meta({ wanted: "a number from 0 to 10" })
    .optional()
    .meta({ description: "How often a failed connection is tried again.", otherwise: "as the directory says" }),
  max_connections: z
    .int()
    .min(1)
    .meta({ wanted: "a number, 1 or more" })
    .optional()
    .meta({ description: "To one instance, from this machine.", otherwise: "as the directory says" }),
  slow_start: durationSetting.optional().meta({
    description: "Over which an instance that comes back grows to its full weight.",
    otherwise: "as the directory says",
  }),
  balance: parsedBy((text) => (parseBalance(text), text), "a balance policy")
    .optional()
    .meta({
      description: "`round-robin`, `random`, `least-connections`, `ordered` or `consistent:…`.",
      otherwise: "as the directory says",
    }),
});

/** `sherlock.yaml`. */
export const settingsSchema = z.strictObject({
  directories: z
    .union([
      directory.transform((one) => [one]),
      z.array(z.union([directory.transform((one) => [one]), z.array(directory)])),
    ])
    .transform((lists) => lists.flat())
    .default([])
    .meta({
      description:
        "The addresses of its directory, several where it is replicated. One at the least, if `-d` gives none.",
    }),
  name: name.optional().meta({ description: "The caller that routes can single out.", otherwise: "the host name" }),
  listen: listenSetting.optional().meta({
    description: "Traffic. Loopback keeps it to this machine.",
    otherwise: "`127.0.0.1:5432`, and `[::1]:5432` where the machine has it",
  }),
  admin: listenOrOffSetting.optional().meta({
    description: "`/healthz`, `/readyz`, `/metrics` and `/haproxy`, or `off`.",
    otherwise: "`127.0.0.1:5433`",
  }),
  zone: name
    .optional()
    .meta({ description: "Where this machine is; instances of the same zone are preferred.", otherwise: "none" }),
  haproxy: z
    .strictObject({
      command: path.optional().meta({
        description: "The HAProxy to run, 2.4 or newer.",
        otherwise: "the first in `PATH`, `/usr/sbin` and `/usr/local/sbin`",
      }),
      template: path.optional().meta({
        description: "A Handlebars template of your own instead of the built-in one.",
        otherwise: "the built-in one",
      }),
      run_dir: path.optional().meta({
        description: "HAProxy's configuration and sockets; one for each Sherlock.",
        otherwise: "`/run/datawire/sherlock`; when not root, below `$XDG_RUNTIME_DIR`",
      }),
      hard_stop_after: durationSetting
        .default(300_000)
        .meta({ description: "How long a request may hold an old worker after a reload; each holds its memory." }),
      max_connections: z.int().min(10).meta({ wanted: "a number, 10 or more" }).optional().meta({
        description: "Of all clients together.",
        otherwise: "as many as the limit on open files allows, up to a bound",
      }),
      ca_file: safePath.optional().meta({
        description: "File of the authorities that instances of `https:` are verified with.",
        otherwise: "those of the system",
      }),
    })
    .prefault({}),
  tcp: z
    .record(z.string(), listenSetting)
    .default({})
    .meta({ description: "Where TCP services are listened for: `postgres-main: 127.0.0.1:6001`." }),
  tcp_ports: portRange.optional().meta({
    description: "Ports that TCP services may propose for themselves, such as `6000-6999`.",
    otherwise: "none",
  }),
  access_log: z
    .union([z.enum(["off", "json"]), z.literal(false).transform(() => "off" as const)])
    .meta({ wanted: "off or json" })
    .default("off")
    .meta({
      description:
        "Whether HAProxy writes a line for each request, to `access.log` in the run directory; it costs a few percent of throughput.",
    }),
  percentiles: z
    .union([
      z.boolean().transform((on) => (on ? 1 : null)),
      z.enum(["off", "on"]).transform((text) => (text === "on" ? 1 : null)),
      parsedBy(oneInOfShare, "on, off, or a share of the requests such as 10%"),
    ])
    .meta({ wanted: "on, off, or a share of the requests such as 10%" })
    .optional()
    .meta({
      description:
        "Whether to look at each request for p50, p90 and p99 of the latency, or at a share of them, taken as one request in 2, 3, 4…; costs a few percent of throughput.",
      otherwise: "off",
    }),
  services: z
    .record(z.string(), overrideSchema)
    .default({})
    .meta({ description: "Settings of services that hold for this machine alone, over those of the directory." }),
  drain: durationSetting.default(10_000).meta({ description: "How long open requests may take when Sherlock stops." }),
  data_dir: path.optional().meta({
    description: "The last table, so that a restart needs no directory.",
    otherwise:
      "the run directory if that was set; else `/var/lib/datawire/sherlock`, or below `$XDG_STATE_HOME` when not root",
  }),
  token: z.string().min(1).optional().meta({
    description: "What it proves itself with; from `DATAWIRE_TOKEN`, rather than in a file that others may read.",
    otherwise: "none",
  }),
  token_file: path
    .optional()
    .meta({ description: "File with the token, readable by its owner alone.", otherwise: "none" }),
  tls: z
    .strictObject({
      ca: path.optional().meta({
        description:
          "File of the authority that signed the directory's certificate; needed only with certificates of your own.",
        otherwise: "the fingerprint in the token, else the system's authorities",
      }),
      cert: path
        .optional()
        .meta({ description: "File of the certificate that this program shows.", otherwise: "none" }),
      key: path
        .optional()
        .meta({ description: "File of its key, readable by the owner and the group at most.", otherwise: "none" }),
    })
    .optional(),
});

/**
 * Loads sherlock.yaml, the environment and the command line; binds nothing.
 * @throws ConfigError with every problem.
 */
export async function loadSherlockSettings(input: DaemonInput): Promise<SherlockSettings> {
  const { value, locate, files } = await loadSettings({
    name: "sherlock",
    schema: settingsSchema,
    file: input.config,
    env: input.env,
    variables: {
      DATAWIRE_DIRECTORY: { path: ["directories"], value: (text) => text.split(",").map((part) => part.trim()) },
      DATAWIRE_TOKEN: { path: ["token"] },
    },
    flags: flagsOf(input),
    secrets: ["token"],
  });
  const place = (...at: string[]) => locate(at) ?? { file: "sherlock.yaml" };
  const [first, ...more] = value.directories;
  if (first === undefined) {
    const message = "no directory is given: wanted -d ADDRESS, DATAWIRE_DIRECTORY, or `directories` in sherlock.yaml";
    const file = files.at(-1);
    const at =
      locate(["directories"]) ?? (file === undefined ? { file: "sherlock.yaml" } : { file, line: 1, column: 1 });
    throw new ConfigError([{ ...at, message }]);
  }
  const wrong = ["tcp", "services"].flatMap((section) =>
    Object.keys(value[section as "tcp" | "services"])
      .filter((service) => !isName(service))
      .map((service) => ({
        ...place(section, service),
        message: `${section}.${service} names no service: a name is ${NAME_RULE}`,
      })),
  );
  if (wrong.length > 0) throw new ConfigError(wrong);
  const { token, tls } = await loadCredentials(value, { file: "sherlock.yaml", locate });
  const runDir = value.haproxy.run_dir ?? defaultRunDir(input.env);
  return {
    replicas: [first, ...more],
    name: value.name ?? callerOfHost(hostname()),
    listen: value.listen ?? null,
    admin: value.admin === undefined ? parseListenAddress(DEFAULT_ADMIN) : value.admin,
    zone: value.zone ?? null,
    haproxy: {
      command: value.haproxy.command ?? null,
      template: value.haproxy.template ?? null,
      runDir: isAbsolute(runDir) ? runDir : join(process.cwd(), runDir),
      hardStopAfterMs: value.haproxy.hard_stop_after,
      maxConnections: value.haproxy.max_connections ?? null,
      caFile: value.haproxy.ca_file ?? "@system-ca",
    },
    tcp: { listen: new Map(Object.entries(value.tcp)), range: value.tcp_ports ?? null },
    accessLog: value.access_log === "json",
    percentiles: value.percentiles ?? null,
    overrides: new Map(Object.entries(value.services).map(([service, override]) => [service, overrideOf(override)])),
    // Several Sherlocks of one user have a run directory each, which then holds this as well.
    dataDir: value.data_dir ?? value.haproxy.run_dir ?? defaultDataDir(input.env),
    drainMs: value.drain,
    token,
    tls,
    env: input.env,
  };
}

function flagsOf({ directories, options }: DaemonInput): Given[] {
  return [
    { from: "-d/--directory", path: ["directories"], value: directories.length > 0 ? directories : undefined },
    { from: "--name", path: ["name"], value: options["name"] },
    { from: "--listen", path: ["listen"], value: options["listen"] },
    { from: "--admin", path: ["admin"], value: options["admin"] },
    { from: "--zone", path: ["zone"], value: options["zone"] },
    { from: "--run-dir", path: ["haproxy", "run_dir"], value: options["runDir"] },
    { from: "--data-dir", path: ["data_dir"], value: options["dataDir"] },
  ];
}

/** @throws Error for what is no share, or none at all. */
function oneInOfShare(text: string): number {
  const slots = parsePercent(text);
  if (slots === 0) throw new Error("no share");
  return Math.round(SLOTS / slots);
}

function overrideOf(override: z.output<typeof overrideSchema>): ServiceOverride {
  return {
    timeoutMs: override.timeout,
    connectTimeoutMs: override.connect_timeout,
    queueTimeoutMs: override.queue_timeout,
    retries: override.retries,
    maxConnections: override.max_connections,
    slowStartMs: override.slow_start,
    balance: override.balance,
  };
}

/** A host name as a caller's name: in lower case, and what no name may hold as `-`. */
function callerOfHost(host: string): string {
  const name = host
    .toLowerCase()
    .replace(/[^a-z0-9._-]/g, "-")
    .slice(0, 100)
    .replace(/^[.-]+|[.-]+$/g, "");
  return isName(name) ? name : "localhost";
}

function defaultRunDir(env: Env): string {
  if (process.getuid?.() === 0) return "/run/datawire/sherlock";
  const runtime = env["XDG_RUNTIME_DIR"];
  return runtime ? join(runtime, "datawire", "sherlock") : join(defaultDataDir(env), "run");
}

function defaultDataDir(env: Env): string {
  if (process.getuid?.() === 0) return "/var/lib/datawire/sherlock";
  const state = env["XDG_STATE_HOME"] || join(env["HOME"] || homedir(), ".local", "state");
  return join(state, "datawire", "sherlock");
}
