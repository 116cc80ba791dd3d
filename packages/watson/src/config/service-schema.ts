import {
  isHostName,
  NAME_PATTERN,
  NAME_RULE,
  parseInstanceUrl,
  parseServiceAddress,
  parseVersion,
  protocolOfUrl,
  PROTOCOLS,
  TAGS_MAX,
  VERSION_RULE,
  WEIGHT_MAX,
} from "@datawire/protocol";
import {
  durationSetting,
  type Env,
  type ListenAddress,
  portSetting,
  readableBy,
  refusal,
  textLike,
} from "@datawire/runtime";
import { z } from "zod";
import { createLivenessSchema, type LivenessDefaults } from "./liveness.ts";
import { wholeNumber } from "./whole-number.ts";

/** What a service file leaves to the settings of its Watson. */
export interface ServiceContext {
  readonly env: Env;
  /** How others reach this machine. */
  readonly host: string;
  readonly zone: string | null;
  readonly defaults: LivenessDefaults;
  /** The admin port of the router that consumers are counted at. */
  readonly router: ListenAddress;
  /** Authorities that the long form of an address may name. */
  readonly directories: readonly string[];
  /** Why a check may not run a program; null when it may. */
  readonly noExec: string | null;
  /** Why its author may not read Watson's environment; null when it may. */
  readonly noEnv: string | null;
}

/** How long a drain may take at most; a service manager would have lost patience long before. */
export const DRAIN_MS_MAX = 3_600_000;
const DRAIN_MS_DEFAULT = 10_000;
const WEIGHT_DEFAULT = 100;
const SERVICES_MAX = 10_000;
const URL_RULE = "a URL such as http://HOST:8080/base";

const name = textLike(NAME_PATTERN, NAME_RULE);
const drain = durationSetting.refine((ms) => ms <= DRAIN_MS_MAX, { error: "a duration of at most 1h" });

/** Makes the schema of one service, as it is written in a file. */
export function createServiceSchema({ directories, noExec }: Pick<ServiceContext, "directories" | "noExec">) {
  return z
    .strictObject({
      service: readableBy(
        (text) => parseServiceAddress(text, directories),
        "the address of a service such as //barker",
      ).meta({
        description: "The address of the service, such as `//barker`. Required.",
        otherwise: "required",
      }),
      version: readableBy(parseVersion, `a version: ${VERSION_RULE}`).optional().meta({
        description:
          "The version that this instance runs; what stands before its first dot decides whether it is held back.",
        otherwise: "none",
      }),
      // Which protocol it has to fit is known only when the whole service is read.
      url: readableBy(parseAnyUrl, URL_RULE).optional().meta({
        description: "Where requests go, with the path that they are put under.",
        otherwise: "`http://HOST:PORT` of `port`; with `liveness: { consumers: 1 }`, that of the router",
      }),
      port: portSetting.optional().meta({
        description:
          "Short for a URL at this machine; either this or `url`. With `liveness: { consumers: 1 }`, the AMQP port of the router.",
        otherwise: "none; beside `consumers`, 5672",
      }),
      protocol: z.enum(PROTOCOLS).default("http").meta({
        description:
          "`h2` is HTTP/2 without TLS, as gRPC speaks it; `amqp` is AMQP 1.0, which routers pass on and Sherlock does not.",
      }),
      instance: name
        .optional()
        .meta({ description: "What this instance is called; unique in its service.", otherwise: "`HOST-PORT`" }),
      liveness: createLivenessSchema(noExec).optional().meta({
        description: "The check, or a list of checks that must all pass.",
        otherwise: "`http: URL/liveness_check`; for TCP, a connection; for AMQP, `amqp: open`",
      }),
      tls: z
        .strictObject({
          verify: z.boolean().default(true).meta({
            description: "Whether the certificate is verified, by the checks and for every request alike.",
          }),
          server_name: textLike(/^[^\s]+$/, "a host name such as billing.example.com")
            .transform((text) => text.toLowerCase())
            .refine(isHostName, { error: "a host name such as billing.example.com" })
            .optional()
            .meta({
              description: "The name that the certificate carries; asked for by SNI.",
              otherwise: "the host of `url`",
            }),
        })
        .optional(),
      weight: wholeNumber(1, WEIGHT_MAX)
        .default(WEIGHT_DEFAULT)
        .meta({ description: "Its part of its version's requests, beside the weights of the others." }),
      zone: name.optional().meta({ description: "Where it is.", otherwise: "`zone` of watson.yaml" }),
      tags: z
        .array(z.string().min(1).max(100))
        .max(TAGS_MAX)
        .default([])
        .meta({ description: "For people and their scripts." }),
      proxy_port: portSetting.optional().meta({
        description: "The local port that a TCP service proposes; used where `tcp_ports` of a Sherlock allows it.",
        otherwise: "none",
      }),
      drain: drain.default(DRAIN_MS_DEFAULT).meta({
        description: "After leaving the pool, how long open requests may take before Watson says that it is gone.",
      }),
    })
    .superRefine((service, context) => {
      const issue = (key: string, message: string): void => context.addIssue({ code: "custom", path: [key], message });
      const listens = listensThroughRouter(service);
      if (listens && service.protocol !== "amqp")
        issue("liveness", "Cannot count consumers: the service is not of AMQP; wanted protocol: amqp beside it");
      if (listens && service.url !== undefined)
        issue("url", "no such key beside `consumers`, which is for a service that listens through the router");
      if (!listens && service.url === undefined && service.port === undefined)
        issue("url", `${URL_RULE}, or port: 8080 instead`);
      if (service.url !== undefined && service.port !== undefined) issue("port", "either url or port, and not both");
      if (service.proxy_port !== undefined && service.protocol !== "tcp")
        issue("proxy_port", "no such key, as it has a meaning for protocol: tcp only");
      if (service.tls !== undefined && !/^(?:https|amqps):/i.test(service.url ?? ""))
        issue("tls", "no such key, as it has a meaning for a URL of https: or amqps: only");
      // A URL that cannot be read was reported already, by its own check.
      const { url } = service;
      if (url === undefined || thrownBy(() => parseAnyUrl(url)) !== null) return;
      const unfit = thrownBy(() => parseInstanceUrl(url, service.protocol));
      if (unfit !== null) context.addIssue({ ...refusal(unfit, URL_RULE), path: ["url"] });
    });
}
/** Whether a service has no port of its own, but consumers at a router; of checks as they are written, where one of them is none. */
export function listensThroughRouter({ liveness }: { readonly liveness?: unknown }): boolean {
  const checks: readonly unknown[] = Array.isArray(liveness) ? liveness : [liveness];
  return checks.some(
    (check) => typeof check === "object" && check !== null && "consumers" in check && check.consumers !== undefined,
  );
}

/** One service as its file says it, every value checked alone. */
export type ServiceSource = z.infer<ReturnType<typeof createServiceSchema>>;

/** What `parse` throws; null when it takes what it reads. */
function thrownBy(parse: () => unknown): unknown {
  try {
    parse();
    return null;
  } catch (error) {
    return error;
  }
}

/** Reads the URL of an instance of any protocol. */
function parseAnyUrl(text: string): unknown {
  return parseInstanceUrl(text, protocolOfUrl(text));
}

/** Makes the schema of a service file: one service, or a list of them; none in a list without entries, or in a file that is all comment. */
export function createFileSchema(context: Pick<ServiceContext, "directories" | "noExec">) {
  const service = createServiceSchema(context);
  return z
    .union([service, z.array(service).max(SERVICES_MAX), z.null().transform((): z.infer<typeof service>[] => [])])
    .meta({ wanted: "a mapping of keys to values, or a list of them" });
}
/** The schema of a service file, made for the directories of one Watson. */
export type FileSchema = ReturnType<typeof createFileSchema>;
