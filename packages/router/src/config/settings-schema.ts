import { credentialSettings } from "@datawire/link/client";
import { parsePattern } from "@datawire/protocol";
import { directorySetting, listenOrOffSetting, listenSetting, parsedBy, textLike } from "@datawire/runtime";
import { z } from "zod";
import type { User } from "../access/rights.ts";
import { addressRuleSetting } from "./address-settings.ts";
import { authSetting } from "./auth-settings.ts";
import { byteSizeFrom } from "./byte-size.ts";
import { processesSetting } from "./processes-setting.ts";
import { upstreamsSetting } from "./upstream-settings.ts";
import { webShape } from "./web-settings.ts";

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
    .union([directorySetting.transform((one) => [one]), z.array(directorySetting)])
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
      addresses: ofBound(10_000_000).default(100_000).meta({ description: "Of a process, beside those at upstreams." }),
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

/** What `router.yaml`, the environment and the command line say, with defaults. */
export type RouterValues = z.output<typeof settingsSchema>;
