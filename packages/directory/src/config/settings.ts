import {
  DIRECTORY_PORT,
  NAME_PATTERN,
  NAME_RULE,
  parseDirectoryAddress,
  type DirectoryAddress,
} from "@datawire/protocol";
import {
  type DaemonInput,
  defaultDataDir,
  durationFrom,
  ExitError,
  exitCodes,
  listenSetting,
  loadSettings,
  parsedBy,
  portSetting,
  type Settings,
  textLike,
} from "@datawire/runtime";
import { z } from "zod";
import { storeSetting } from "../store/store-settings.ts";
import { consoleSetting } from "./console-setting.ts";
import { shareSetting } from "./share-setting.ts";
import { tracesSetting } from "./traces-setting.ts";

const path = z.string().min(1).meta({ wanted: "the path of a file" });
const off = z.union([z.literal("off"), z.literal(false).transform(() => "off" as const)]);

const hostSetting = textLike(/^[A-Za-z0-9_.:-]{1,253}$/, "a host name or an IP address");

/** Shorter than a Watson may take to come back, every loss of sight would be a death. */
const LEASE_MS_MIN = 100;

/** `directory.yaml`. */
export const settingsSchema = z.strictObject({
  host: hostSetting
    .default("localhost")
    .meta({ description: "The name that the directory is known by; its certificate is made out to it." }),
  port: z
    .union([portSetting, z.literal(0)])
    .meta({ wanted: "a port from 1 to 65535" })
    .default(DIRECTORY_PORT)
    .meta({ description: "HTTP and the link, on one port; 0 lets the system choose." }),
  listen: listenSetting.optional().meta({
    description: "What it binds. Beyond loopback, tokens and TLS are on.",
    otherwise: "loopback, and the address of this machine that `host` has",
  }),
  address: parsedBy((text): DirectoryAddress => parseDirectoryAddress(text), "//HOST[:PORT]/directory")
    .optional()
    .meta({
      description: "The address that it tells clients, where that is not its host and port.",
      otherwise: "`//HOST:PORT/directory`",
    }),
  data_dir: z.string().min(1).optional().meta({
    description: "The embedded store, the first tokens and the authority's certificate.",
    otherwise: "`/var/lib/datawire/directory`; when not root, below `$XDG_STATE_HOME`",
  }),
  environment: textLike(NAME_PATTERN, NAME_RULE).default("sandbox").meta({
    description: "What the environment is called of all that knows no environments: Watsons, Sherlocks, `dw`.",
  }),
  store: storeSetting.meta({
    description: "`embedded`, a file of its own; or etcd, which several directories share.",
    otherwise: "embedded",
  }),
  lease: durationFrom(LEASE_MS_MIN).default(15_000).meta({
    description:
      "How long the instances of a Watson that is out of sight stay in use. Shorter takes a dead machine out sooner, and a slow one by mistake.",
  }),
  promotion_delay: durationFrom(0).default(30_000).meta({
    description:
      "How long the primary version must be without instances before the newest takes its place: longer than its restart takes.",
  }),
  guard: z
    .strictObject({
      share: shareSetting.default(0.5).meta({
        description:
          "Of all instances: if more would end at once, the network is taken to be at fault, and they are kept.",
        otherwise: "50%",
      }),
      minimum: z
        .int()
        .min(1)
        .meta({ wanted: "a number of instances, 1 or more" })
        .default(10)
        .meta({ description: "Fewer than this may end at once whatever their share, so that small set-ups work." }),
    })
    .prefault({}),
  console: consoleSetting.meta({
    description: "Mission Control, the page for people at `/console/`; `off` takes it and signing in away.",
    otherwise: "on",
  }),
  traces: tracesSetting,
  auth: z
    .strictObject({
      mode: z.enum(["token", "none"]).meta({
        wanted: "token or none",
        description: "Whether requests need a token.",
        otherwise: "none on loopback only, token beyond it",
      }),
    })
    .optional(),
  tls: z
    .union([
      off,
      z.strictObject({
        cert: path.meta({ description: "File of its certificate." }),
        key: path.meta({ description: "File of its key." }),
        client_ca: path
          .optional()
          .meta({ description: "File of the authority that clients need a certificate of.", otherwise: "none" }),
      }),
    ])
    .meta({
      wanted: "off, or { cert: FILE, key: FILE, client_ca: FILE }",
      description: "Certificates of your own, or `off`; clients need one that `client_ca` signed, if that is set.",
      otherwise: "on beyond loopback, with an authority of its own that tokens name",
    })
    .optional(),
});

/** The settings of a directory, each with its source. */
export type DirectorySettings = Settings<z.output<typeof settingsSchema>>;
/** The values of a directory's settings. */
export type DirectoryValues = z.output<typeof settingsSchema>;

/** The flags of the directory, by commander's names. */
export const FLAGS = {
  host: { flag: "-n, --host <name>", text: "name that this directory is known by (default localhost)" },
  port: { flag: "-p, --port <port>", text: `port (default ${DIRECTORY_PORT})` },
  listen: {
    flag: "--listen <host:port>",
    text: "address to listen on (default: loopback, and the address of this machine that the name has)",
  },
  address: { flag: "-a, --address <address>", text: "address of this directory, such as //services/directory" },
  dataDir: { flag: "--data-dir <folder>", text: "folder of the embedded store" },
} as const;

/** Reads the settings of a directory; binds and opens nothing. */
export async function loadDirectorySettings(input: DaemonInput): Promise<DirectorySettings> {
  const { config, options, env, directories } = input;
  // Every program has the flag, and a directory asks no other.
  if (directories.length > 0)
    throw new ExitError(
      exitCodes.misused,
      `Cannot use -d ${directories[0]}: a directory asks no other one; its own address is -a, and \`store: { etcd: […] }\` makes it one of several`,
    );
  const port = options["port"];
  return loadSettings({
    name: "directory",
    schema: settingsSchema,
    file: config,
    env,
    flags: [
      { from: "--host", path: ["host"], value: options["host"] },
      { from: "--port", path: ["port"], value: asNumber(port) },
      { from: "--listen", path: ["listen"], value: options["listen"] },
      { from: "--address", path: ["address"], value: options["address"] },
      { from: "--data-dir", path: ["data_dir"], value: options["dataDir"] },
    ],
  });
}

/** Where the embedded store, the first tokens and the authority's certificate are. */
export function dataDirOf({ data_dir }: DirectoryValues, env: DaemonInput["env"]): string {
  return data_dir ?? defaultDataDir("directory", env);
}

/** A flag is text; what is no number stays as it is, for the message. */
function asNumber(text: unknown): unknown {
  return typeof text === "string" && /^\d+$/.test(text) ? Number(text) : text;
}
