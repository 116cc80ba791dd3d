import { credentialSettings } from "@datawire/link";
import {
  HEAD_LIMITS,
  DEFAULT_DIRECTORY,
  NAME_PATTERN,
  NAME_RULE,
  parseBalance,
  type DirectoryAddress,
  parsePercent,
  SLOTS,
} from "@datawire/protocol";
import {
  directorySetting,
  durationFrom,
  listenOrOffSetting,
  listenSetting,
  parsedBy,
  readableBy,
  textLike,
} from "@datawire/runtime";
import { z } from "zod";

const ONE = "one address or more";
const path = z.string().min(1);
/** Goes into HAProxy's configuration. */
const safePath = textLike(/^\/[A-Za-z0-9._/@+-]*$/, "an absolute path of letters, digits and . _ / @ + -");
const name = textLike(NAME_PATTERN, NAME_RULE);
/** A name or an address of a machine, without a port. */
export const HOST_PATTERN = /^(?:[a-z0-9_](?:[a-z0-9._-]{0,251}[a-z0-9_])?|\[[0-9a-f:.]{2,45}\])$/;
const host = textLike(HOST_PATTERN, "a host name such as app.example.com, without a port");

const portRange = parsedBy((text) => {
  const match = /^(\d{1,5})-(\d{1,5})$/.exec(text.trim());
  if (match === null) throw new Error("it is no range");
  const [from, to] = [Number(match[1]), Number(match[2])];
  if (from < 1 || to > 65_535) throw new Error("ports are from 1 to 65535");
  if (from > to) throw new Error("it ends before it begins");
  return { from, to };
}, "a range of ports such as 6000-6999");

/** @throws Error for what is no share, or none at all. */
function oneInOfShare(text: string): number {
  const slots = parsePercent(text);
  if (slots === 0) throw new Error("it is no request at all, which is written off");
  return Math.round(SLOTS / slots);
}

/** @throws Error for what is no share, or none at all. */
function shareOf(text: string): number {
  const slots = parsePercent(text);
  if (slots === 0) throw new Error("it is no request at all, which is written off");
  return slots / SLOTS;
}

const SPANS_WANTED = "off, errors, or a share of the traces such as 10%";

const overrideSchema = z.strictObject({
  timeout: durationFrom(1).optional().meta({
    description: "For the first byte of a response, and for silence within it; a stream may be silent for 1h.",
    otherwise: "as the directory says",
  }),
  connect_timeout: durationFrom(1)
    .optional()
    .meta({ description: "For a connection to an instance.", otherwise: "as the directory says" }),
  queue_timeout: durationFrom(1).optional().meta({
    description: "For a free connection when `max_connections` is reached.",
    otherwise: "as the directory says",
  }),
  retries: z.int().min(0).max(10).meta({ wanted: "a number from 0 to 10" }).optional().meta({
    description:
      "How often a request goes on to another try when no connection is made or, for GET and HEAD, when it breaks off before the response.",
    otherwise: "as the directory says",
  }),
  max_connections: z
    .int()
    .min(1)
    .meta({ wanted: "a number, 1 or more" })
    .optional()
    .meta({ description: "To one instance, from this machine.", otherwise: "as the directory says" }),
  slow_start: durationFrom(0).optional().meta({
    description: "Over which an instance that comes back grows to its full weight.",
    otherwise: "as the directory says",
  }),
  balance: readableBy(parseBalance, "a balance policy").optional().meta({
    description: "`round-robin`, `random`, `least-connections`, `ordered`, `cookie:NAME` or `consistent:…`.",
    otherwise: "as the directory says",
  }),
});

/** What sherlock.yaml says of one service. */
export type ServiceSettings = z.output<typeof overrideSchema>;

/** `sherlock.yaml`. */
export const settingsSchema = z.strictObject({
  directories: z
    .union([
      directorySetting.transform((one) => [one]),
      z.array(z.union([directorySetting.transform((one) => [one]), z.array(directorySetting).min(1, ONE)])).min(1, ONE),
    ])
    .transform((lists) => lists.flat() as [DirectoryAddress, ...DirectoryAddress[]])
    .prefault(DEFAULT_DIRECTORY)
    .meta({ description: "The addresses of its directory, several where it is replicated." }),
  name: name.optional().meta({ description: "The caller that routes can single out.", otherwise: "the host name" }),
  listen: listenSetting.optional().meta({
    description: "Traffic. Loopback keeps it to this machine.",
    otherwise: "`127.0.0.1:5432`, and `[::1]:5432` where the machine has it",
  }),
  hosts: z
    .array(z.preprocess((input) => (typeof input === "string" ? input.toLowerCase() : input), host))
    .default([])
    .meta({
      description:
        "On loopback: more names by which web pages may be read here. A browser may ask for `localhost`, this machine and services; other names, and pages that were read under another name, get 403.",
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
        description: "The HAProxy to run, 2.4 or newer; a wrapper has to pass its open files on.",
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
      hard_stop_after: durationFrom(1_000)
        .default(300_000)
        .meta({ description: "How long a request may hold an old worker after a reload; each holds its memory." }),
      max_connections: z.int().min(10).meta({ wanted: "a number, 10 or more" }).optional().meta({
        description: "Of all clients together.",
        otherwise: "as many as the limit on open files allows, up to a bound",
      }),
      header_bytes: z
        .int()
        .min(8_192)
        .max(131_072)
        .meta({ wanted: "a number from 8192 to 131072" })
        .default(HEAD_LIMITS.headerBytes)
        .meta({
          description:
            "How many bytes the headers of a request, and about as many those of an answer, may have together; more costs memory and CPU for each request (docs/http.md).",
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
        "Whether a line of JSON is written for each request, to `access.log` in the run directory, which is emptied at 256 MB, or may be rotated by renaming it; it costs a few percent of throughput.",
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
  spans: z
    .union([
      z.literal(false).transform(() => null),
      z.enum(["off", "errors"]).transform((text) => (text === "off" ? null : text)),
      parsedBy(shareOf, SPANS_WANTED),
    ])
    .meta({ wanted: SPANS_WANTED })
    .optional()
    .meta({
      description:
        "Of which requests a span goes to the directory, under their `traceparent`: `errors` for those that fail, a share for these and those of so many traces, chosen by their ids (docs/traces.md).",
      otherwise: "off",
    }),
  explain: z
    .union([z.boolean().transform((on) => (on ? ("on" as const) : ("off" as const))), z.enum(["off", "on"])])
    .meta({ wanted: "on or off" })
    .default("off")
    .meta({
      description:
        "Whether a request with `X-Datawire-Explain: 1` is told in headers of its response by which rule it went where (docs/http.md).",
    }),
  allow_local: z.boolean().default(false).meta({
    description:
      "Whether requests may go to loopback, link-local or cloud metadata addresses where the directory is on another machine: whoever may register an instance then reaches what only this machine should.",
  }),
  services: z
    .record(z.string(), overrideSchema)
    .default({})
    .meta({ description: "Settings of services that hold for this machine alone, over those of the directory." }),
  drain: durationFrom(0).default(10_000).meta({ description: "How long open requests may take when Sherlock stops." }),
  data_dir: path.optional().meta({
    description: "The last table, so that a restart needs no directory.",
    otherwise:
      "the run directory if that was set; else `/var/lib/datawire/sherlock`, or below `$XDG_STATE_HOME` when not root",
  }),
  ...credentialSettings,
});
