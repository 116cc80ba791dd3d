import { hostname } from "node:os";
import { isAbsolute, join } from "node:path";
import { loadCredentials, type TlsSettings } from "@datawire/link";
import { type DirectoryAddress, isName, NAME_RULE } from "@datawire/protocol";
import {
  commonVariables,
  givenFlags,
  ConfigError,
  defaultDataDir,
  type DaemonInput,
  type Env,
  type ListenAddress,
  loadSettings,
  parseListenAddress,
  type Place,
} from "@datawire/runtime";
import type { ServiceOverride } from "../core/model/limits.ts";
import type { TcpSettings } from "../core/planner/tcp-ports.ts";
import type { SpanChoice } from "../core/render/spans-view.ts";
import { settingsConflicts } from "./settings-conflicts.ts";
import { type ServiceSettings, settingsSchema } from "./settings-schema.ts";

/** What a Sherlock runs with. */
export interface SherlockSettings {
  /** The addresses of its directory; more than one where it is replicated. */
  readonly replicas: readonly [DirectoryAddress, ...DirectoryAddress[]];
  /** Whether anybody said which; otherwise it is the one on this machine. */
  readonly isDirectoryGiven: boolean;
  /** The caller that routes can single out. */
  readonly name: string;
  /** Null for the default: loopback, in both families where the machine has them. */
  readonly listen: ListenAddress | null;
  /** More names that browsers may ask for, in lower case. */
  readonly hosts: readonly string[];
  readonly admin: ListenAddress | null;
  readonly zone: string | null;
  readonly haproxy: {
    /** Null to look for it. */
    readonly command: string | null;
    readonly template: string | null;
    /** Where each was given; undefined where it was not. */
    readonly places: Readonly<Record<"command" | "template" | "caFile" | "runDir" | "dataDir", Place | undefined>>;
    readonly runDir: string;
    /** Bounds how long a request may hold an old worker after a reload. */
    readonly hardStopAfterMs: number;
    /** Null for as many as the limit on open files allows, up to a bound. */
    readonly maxConnections: number | null;
    /** How much the headers of a request may have together. */
    readonly headerBytesMax: number;
    /** The authorities that verify `https` instances; null for what the system trusts. */
    readonly caFile: string | null;
  };
  readonly tcp: TcpSettings;
  /** Whether requests may go to addresses of this machine itself though the directory is on another one. */
  readonly allowLocal: boolean;
  readonly accessLog: boolean;
  /** One request in so many is looked at for its latency; null for none. */
  readonly percentiles: number | null;
  /** Of which requests a span goes to the directory: of those that fail, of these and a share of all traces, or of none. */
  readonly spans: SpanChoice | null;
  /** Whether a request may ask why it goes where it goes. */
  readonly explain: boolean;
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

/**
 * Loads sherlock.yaml, the environment and the command line; binds nothing.
 * @throws ConfigError with every problem.
 */
export async function loadSherlockSettings(input: DaemonInput): Promise<SherlockSettings> {
  const { value, locate } = await loadSettings({
    name: "sherlock",
    schema: settingsSchema,
    file: input.config,
    env: input.env,
    variables: commonVariables,
    flags: givenFlags(input, FLAGS),
  });
  const place = (...at: string[]) => locate(at) ?? { file: "sherlock.yaml" };
  const wrong = (["tcp", "services"] as const).flatMap((section) =>
    Object.keys(value[section])
      .filter((service) => !isName(service))
      .map((service) => ({
        ...place(section, service),
        message: `${section}.${service} names no service: a name is ${NAME_RULE}`,
      })),
  );
  wrong.push(...settingsConflicts(value, place));
  if (wrong.length > 0) throw new ConfigError(wrong);
  const { token, tls } = await loadCredentials(value, { file: "sherlock.yaml", locate });
  const runDir = value.haproxy.run_dir ?? defaultRunDir(input.env);
  return {
    replicas: value.directories,
    isDirectoryGiven: locate(["directories"]) !== undefined,
    name: value.name ?? callerOfHost(hostname()),
    listen: value.listen ?? null,
    hosts: value.hosts,
    admin: value.admin === undefined ? parseListenAddress(DEFAULT_ADMIN) : value.admin,
    zone: value.zone ?? null,
    haproxy: {
      command: value.haproxy.command ?? null,
      template: value.haproxy.template ?? null,
      places: {
        command: locate(["haproxy", "command"]),
        template: locate(["haproxy", "template"]),
        caFile: locate(["haproxy", "ca_file"]),
        runDir: locate(["haproxy", "run_dir"]),
        dataDir: locate(["data_dir"]),
      },
      runDir: isAbsolute(runDir) ? runDir : join(process.cwd(), runDir),
      hardStopAfterMs: value.haproxy.hard_stop_after,
      maxConnections: value.haproxy.max_connections ?? null,
      headerBytesMax: value.haproxy.header_bytes,
      caFile: value.haproxy.ca_file ?? null,
    },
    tcp: { listen: new Map(Object.entries(value.tcp)), range: value.tcp_ports ?? null },
    allowLocal: value.allow_local,
    accessLog: value.access_log === "json",
    percentiles: value.percentiles ?? null,
    spans: value.spans ?? null,
    explain: value.explain === "on",
    overrides: new Map(Object.entries(value.services).map(([service, override]) => [service, overrideOf(override)])),
    // Several Sherlocks of one user have a run directory each, which then holds this as well.
    dataDir: value.data_dir ?? value.haproxy.run_dir ?? defaultDataDir("sherlock", input.env),
    drainMs: value.drain,
    token,
    tls,
    env: input.env,
  };
}

/** Which flag gives which setting. */
const FLAGS = {
  name: ["name"],
  listen: ["listen"],
  admin: ["admin"],
  zone: ["zone"],
  "run-dir": ["haproxy", "run_dir"],
  "data-dir": ["data_dir"],
};

function overrideOf(override: ServiceSettings): ServiceOverride {
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
  return runtime ? join(runtime, "datawire", "sherlock") : join(defaultDataDir("sherlock", env), "run");
}
