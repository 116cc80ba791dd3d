import { dirname, resolve } from "node:path";
import { DEFAULT_DIRECTORY, NAME_PATTERN, NAME_RULE } from "@datawire/protocol";
import { credentialSettings, loadCredentials, type TlsSettings } from "@datawire/link";
import {
  commonVariables,
  givenFlags,
  ConfigError,
  defaultDataDir,
  directorySetting,
  type DaemonInput,
  type Env,
  listenOrOffSetting,
  type ListenAddress,
  loadSettings,
  parsedBy,
  type Path,
  type Place,
  parseListenAddress,
  textLike,
} from "@datawire/runtime";
import { z } from "zod";
import { type Replicas, repeated } from "../model/directories.ts";
import { type LivenessDefaults, livenessDefaultsSchema } from "./liveness.ts";
import { parseTcpTarget } from "./targets.ts";
import { checkOperands, readSingle } from "./single.ts";
import type { ServiceDefinition } from "../model/service-definition.ts";

/** What a Watson runs with. */
export interface WatsonSettings {
  readonly directories: readonly Replicas[];
  /** Whether the settings name directories; the default is the directory on this machine. */
  readonly isDirectoryGiven: boolean;
  /** Folders, globs and files. Empty when a single service was given on the command line. */
  readonly services: readonly string[];
  /** The place of each entry of `services` in the settings; null for the default. */
  readonly servicePlaces: readonly Place[] | null;
  readonly single: ServiceDefinition | null;
  /** How others reach this machine, where that was set. */
  readonly host: string | null;
  readonly zone: string | null;
  readonly allowExec: boolean;
  readonly defaults: LivenessDefaults;
  /** The admin port of the router that `liveness: { consumers }` asks. */
  readonly router: ListenAddress;
  readonly admin: ListenAddress | null;
  /** Where the id and what must survive a restart is kept. */
  readonly dataDir: string;
  /** Where it was given. */
  readonly dataDirPlace: Place;
  readonly token: string | null;
  readonly tls: TlsSettings | null;
  readonly env: Env;
}

const DEFAULT_FOLDER = "/etc/datawire.d/";
const DEFAULT_ROUTER = "127.0.0.1:5434";
const DEFAULT_ADMIN = "127.0.0.1:5431";

const ONE = "one address or more";
const replicaList = z
  .array(directorySetting)
  .min(1, ONE)
  .transform((list) => list as unknown as Replicas);
const directories = z.union([
  directorySetting.transform((address): Replicas[] => [[address]]),
  z.array(z.union([directorySetting.transform((address): Replicas => [address]), replicaList])).min(1, ONE),
]);
const path = z.string().min(1);
const host = textLike(
  /^(?:[A-Za-z0-9_](?:[A-Za-z0-9._-]{0,251}[A-Za-z0-9_])?|[0-9A-Fa-f:.]+)$/,
  "a host name or an IP address",
);

const routerSetting = parsedBy(parseTcpTarget, "HOST:PORT of the admin port of a router, such as 127.0.0.1:5434");

/** `watson.yaml`. */
export const settingsSchema = z.strictObject({
  directories: directories
    .prefault(DEFAULT_DIRECTORY)
    .meta({ description: "Each is registered with; a list inside the list is one replicated directory." }),
  services: z
    .union([path.transform((one) => [one]), z.array(path)])
    .default([DEFAULT_FOLDER])
    .meta({ description: "Folders, globs or files of services, watched for changes." }),
  host: host.optional().meta({
    description: "How others reach this machine.",
    otherwise: "its host name where that leads anywhere, else its address on the way to the directory",
  }),
  zone: textLike(NAME_PATTERN, NAME_RULE)
    .optional()
    .meta({ description: "Where this machine is; callers of the same zone prefer its instances.", otherwise: "none" }),
  ...credentialSettings,
  allow_exec: z.boolean().default(false).meta({
    description:
      "Whether service files may name programs to run as checks: whoever writes them then runs programs as Watson.",
  }),
  defaults: z.strictObject({ liveness: livenessDefaultsSchema.default({}) }).default({ liveness: {} }),
  router: routerSetting.optional().meta({
    description: "Admin port of the router that `liveness: { consumers: 1 }` asks who listens.",
    otherwise: `\`${DEFAULT_ROUTER}\``,
  }),
  admin: listenOrOffSetting.optional().meta({
    description: "`/healthz`, `/readyz` and `/metrics`, or `off`.",
    otherwise: "`127.0.0.1:5431`; off for `watson ADDRESS URL`",
  }),
  data_dir: path.optional().meta({
    description: "Its identity, and what survives a restart.",
    otherwise: "`/var/lib/datawire/watson`; when not root, below `$XDG_STATE_HOME`",
  }),
});

/**
 * Loads watson.yaml, the environment and the command line; binds nothing.
 * @throws ConfigError with every problem.
 */
export async function loadWatsonSettings(input: DaemonInput): Promise<WatsonSettings> {
  checkOperands(input);
  const { value, locate } = await loadSettings({
    name: "watson",
    schema: settingsSchema,
    file: input.config,
    env: input.env,
    variables: commonVariables,
    flags: givenFlags(input, FLAGS),
  });
  const place = (...at: string[]) => locate(at) ?? { file: "watson.yaml" };
  const twice = repeated(value.directories);
  if (twice.length > 0) {
    throw new ConfigError(
      twice.map(({ host: name, port }) => ({
        ...place("directories"),
        message: `the directory ${name}:${port} is there twice: wanted each once`,
      })),
    );
  }
  const [zone, defaults] = [value.zone ?? null, value.defaults.liveness];
  const router = value.router ?? parseListenAddress(DEFAULT_ROUTER);
  const single = readSingle(input, { directories: value.directories, zone, defaults, router });
  const { token, tls } = await loadCredentials(value, { file: "watson.yaml", locate });
  const admin = value.admin === undefined ? parseListenAddress(DEFAULT_ADMIN) : value.admin;
  return {
    directories: value.directories,
    isDirectoryGiven: locate(["directories"]) !== undefined,
    services: single === null ? absolute(value.services, locate(["services"])) : [],
    servicePlaces: placesOf(value.services, locate),
    single,
    host: value.host?.toLowerCase() ?? null,
    zone,
    allowExec: value.allow_exec,
    defaults,
    router,
    // Several Watsons with a single service may run on one machine, so the port in the settings file is only for the
    // one with a folder.
    admin: single !== null && input.options["admin"] === undefined ? null : admin,
    dataDir: value.data_dir ?? defaultDataDir("watson", input.env),
    dataDirPlace: place("data_dir"),
    token,
    tls,
    env: input.env,
  };
}

/** Which flag gives which setting. */
const FLAGS = {
  services: ["services"],
  host: ["host"],
  zone: ["zone"],
  admin: ["admin"],
  "data-dir": ["data_dir"],
};

/** Paths in a file are relative to its folder, those of a flag to the working directory. */
function absolute(paths: readonly string[], place: Place | undefined): string[] {
  const base = place?.line === undefined ? process.cwd() : dirname(place.file);
  return paths.map((path) => resolve(base, path));
}

/** A single path may stand there without a list around it. */
function placesOf(paths: readonly string[], locate: (path: Path) => Place | undefined): Place[] | null {
  const whole = locate(["services"]);
  return whole === undefined ? null : paths.map((_, index) => locate(["services", index]) ?? whole);
}
