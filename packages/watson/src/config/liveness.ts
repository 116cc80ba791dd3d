import { durationFrom, parsedBy, readableBy, refusal, textLike } from "@datawire/runtime";
import { z } from "zod";
import { WATCHES } from "../model/service-definition.ts";
import { parseRegularExpression } from "../model/regular-expression.ts";
import { parseStatusRange } from "../model/status-range.ts";
import { wholeNumber } from "./whole-number.ts";
import { parseGrpcTarget, parseHttpTarget, parseTcpTarget } from "./targets.ts";

/** Shorter intervals would make Watson the load that it is to notice. */
const INTERVAL_MS_MIN = 50;
const TIMES_MAX = 100;
const CONSUMERS_MAX = 10_000;
/** Of one instance. */
const CHECKS_MAX = 10;

const times = wholeNumber(1, TIMES_MAX);

/** The rhythm of a check: what `defaults` in watson.yaml may set too. */
const rhythm = {
  interval: durationFrom(INTERVAL_MS_MIN)
    .optional()
    .meta({ description: "From the start of one check to that of the next.", otherwise: "3s" }),
  timeout: durationFrom(1).optional().meta({
    description:
      "How long a check may take; where that is longer than the interval, the next one begins when it is over.",
    otherwise: "1s",
  }),
  rise: times.optional().meta({ description: "Passes in a row that bring an instance back.", otherwise: "1" }),
  fall: times.optional().meta({ description: "Failures in a row that take it out.", otherwise: "2" }),
  recheck: durationFrom(1).optional().meta({
    description:
      "Pause before the next check after a failure, until `fall` is reached or it passes: what is down is out soon.",
    otherwise: "100ms",
  }),
  watch: z.enum(WATCHES).optional().meta({
    description:
      "What makes a check start early: `port`, a listening socket of its port that comes or goes on this machine; `connection`, one held open to it that closes, which works across containers and costs the service a connection.",
    otherwise: "port",
  }),
};

/** `liveness` of watson.yaml: what a check of a service file leaves out. */
export const livenessDefaultsSchema = z.strictObject(rhythm);
/** What a check of a service file leaves to watson.yaml, read. */
export type LivenessDefaults = z.infer<typeof livenessDefaultsSchema>;

const method = textLike(/^(?!CONNECT$)[A-Z]{1,20}$/, "an HTTP method in capitals such as GET or HEAD");
/** Those of the connection and of the body are the check's own. */
const headerName = textLike(
  /^(?!(?:connection|content-length|transfer-encoding|upgrade|expect|te|trailer|keep-alive)$)[A-Za-z0-9!#$%&'*+.^_`|~-]+$/i,
  "the name of an HTTP header, and none of the connection or of a body",
);
/** Secret: messages about the file show no credentials of a check. */
const headerValue = textLike(/^[\t\x20-\x7e\x80-\xff]*$/, "text of one line, of characters up to U+00FF").meta({
  secret: true,
});
const regularExpression = readableBy(parseRegularExpression, "a regular expression of JavaScript");
const statusRange = parsedBy(parseStatusRange, "a status such as 200 or a range such as 200-299");

const expectSchema = z.strictObject({
  status: z
    .union([statusRange.transform((range) => [range]), z.array(statusRange).min(1)])
    .optional()
    .meta({
      wanted: "a list of statuses and ranges such as [200-299, 304]",
      description: "Statuses that pass.",
      otherwise: "200-299",
    }),
  body: regularExpression
    .optional()
    .meta({ description: "A regular expression that the body matches.", otherwise: "any" }),
});

const KINDS = ["http", "tcp", "exec", "grpc", "amqp", "consumers", "ttl"] as const;
/** Which keys make sense for which kind; those of the rhythm go with all but a heartbeat. */
const KEYS_OF_KIND: Readonly<Record<(typeof KINDS)[number], readonly string[]>> = {
  http: ["method", "headers", "expect", "tls_verify", "interval", "timeout", "fall", "recheck", "watch"],
  tcp: ["interval", "timeout", "fall", "recheck", "watch"],
  exec: ["interval", "timeout", "fall", "recheck"],
  grpc: ["grpc_service", "tls_verify", "interval", "timeout", "fall", "recheck", "watch"],
  amqp: ["tls_verify", "interval", "timeout", "fall", "recheck", "watch"],
  consumers: ["interval", "timeout", "fall", "recheck"],
  ttl: [],
};

/**
 * Makes the schema of `liveness` in a service file: one check, or a list of them that must all pass.
 * @param noExec why a check may not run a program; null when it may.
 */
export function createLivenessSchema(noExec: string | null) {
  const command = z
    .array(textLike(/^[^\0]*$/, "text without a NUL"))
    .min(1)
    .meta({ wanted: "a list of a program and its arguments" })
    .superRefine(([program], context) => {
      if (program === "") context.addIssue({ code: "custom", path: [0], message: "a program such as /usr/bin/test" });
      if (noExec !== null) context.addIssue({ code: "custom", message: `Cannot run a program as a check: ${noExec}` });
    });
  const checkSchema = z
    .strictObject({
      http: parsedBy(parseHttpTarget, "a path such as /health, or a URL such as http://HOST:PORT/health")
        .optional()
        .meta({ description: "GET of a path or URL.", otherwise: "`URL/liveness_check`, if no other kind is given" }),
      tcp: parsedBy(parseTcpTarget, "HOST:PORT")
        .optional()
        .meta({ description: "A connection to `HOST:PORT`.", otherwise: "none" }),
      exec: command.optional().meta({
        description:
          "A program with its arguments, which ends with 0; needs `allow_exec` and a file that only its owner can write.",
        otherwise: "none",
      }),
      grpc: parsedBy(parseGrpcTarget, "HOST:PORT, or grpcs://HOST:PORT for TLS")
        .optional()
        .meta({ description: "The health check of gRPC.", otherwise: "none" }),
      amqp: z.enum(["open", "attach"]).optional().meta({
        description:
          "An AMQP connection that opens and closes; with `attach`, also a link to the address in the path of `url`, or to that of the service.",
        otherwise: "`open`, for a service with `protocol: amqp`",
      }),
      consumers: wholeNumber(1, CONSUMERS_MAX).optional().meta({
        description:
          "So many links of this machine listen at the address of the service, through the router of `router` in watson.yaml; for a service with `protocol: amqp`, without `url` and `port`.",
        otherwise: "none",
      }),
      ttl: durationFrom(INTERVAL_MS_MIN).optional().meta({
        description:
          "The application says itself that it lives, at least this often: `PUT /v1/heartbeat/INSTANCE` of Watson's admin port.",
        otherwise: "none",
      }),
      method: method.optional().meta({ description: "Of an HTTP check.", otherwise: "GET" }),
      headers: z
        .record(headerName, headerValue)
        .optional()
        .meta({ description: "Of an HTTP check: `{ Host: barker.internal }`.", otherwise: "none" }),
      expect: expectSchema.optional(),
      tls_verify: z.boolean().optional().meta({
        description:
          "Whether this check verifies the certificate of `https:`, `grpcs:` or `amqps:`; requests go by `tls` of the service.",
        otherwise: "`tls.verify` where it goes to the instance's own host and port, else true",
      }),
      grpc_service: z
        .string()
        .optional()
        .meta({ description: "The service that a gRPC check asks for.", otherwise: "the server as a whole" }),
      ...rhythm,
    })
    .superRefine((check, context) => {
      const [kind = "http", ...more] = KINDS.filter((name) => check[name] !== undefined);
      const issue = (key: string, message: string): void => context.addIssue({ code: "custom", path: [key], message });
      for (const other of more) issue(other, `one kind of check, and ${kind} is there already; a list has several`);
      if (more.length > 0) return;
      if (check.method === "HEAD" && check.expect?.body !== undefined)
        context.addIssue({ ...refusal("an answer to HEAD has no body", "another method"), path: ["method"] });
      for (const key of Object.keys(check)) {
        if (key === kind || key === "rise" || KEYS_OF_KIND[kind].includes(key)) continue;
        issue(key, `no such key, as it has no meaning for a check of kind ${kind}`);
      }
    });
  return z
    .union([checkSchema, z.array(checkSchema).min(1).max(CHECKS_MAX)])
    .transform((checks) => (Array.isArray(checks) ? checks : [checks]));
}

/** One entry of `liveness`, as written. */
export type CheckSource = z.infer<ReturnType<typeof createLivenessSchema>>[number];
