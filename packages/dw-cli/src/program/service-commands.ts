import type { CommandGrammar, OptionGrammar } from "../grammar/command.ts";
import { deniable, directory, dryRun, service } from "./parts.ts";

/** Balance policies that go by something of a request. */
const BY_KEY = ["cookie:", "consistent:header:", "consistent:cookie:", "consistent:path", "consistent:ip"];

const serviceSettings: readonly OptionGrammar[] = [
  ...deniable("default", "url", "where requests go while no instance is live"),
  {
    flags: "--failover <policy>",
    summary: "what becomes of a primary's share when it is down",
    choices: ["any", "none"],
  },
  {
    flags: "--balance <policy>",
    summary: "round-robin, random, least-connections, ordered, cookie:NAME, consistent:…",
    suggestions: ["round-robin", "random", "least-connections", "ordered", ...BY_KEY],
  },
  { flags: "--no-balance", summary: "drop --balance" },
  ...deniable(
    "timeout",
    "duration",
    "for the first byte of a response, and for silence within it; a stream may be silent for 1h",
  ),
  ...deniable("connect-timeout", "duration", "for a connection to an instance"),
  ...deniable("queue-timeout", "duration", "for a free connection when --max-connections is reached"),
  ...deniable(
    "retries",
    "n",
    "how often a request goes on to another try when no connection is made or, for GET and HEAD, when it breaks off before the response",
  ),
  ...deniable("max-connections", "n", "to one instance, from one Sherlock"),
  ...deniable("slow-start", "duration", "over which an instance that comes back grows to its full weight"),
];

/** `dw service`. */
export const SERVICE_COMMANDS: readonly CommandGrammar[] = [
  {
    path: "service list",
    summary: "every service with how it stands, or those with TEXT in their names",
    operands: [{ text: "[text]", kind: "service" }],
    options: [{ flags: "--status <status>", summary: "only those that are", choices: ["live", "degraded", "down"] }],
    action: directory(() => import("../commands/services/service-list.ts")),
    examples: ["dw service list --status down", "dw service list payments"],
  },
  {
    path: "service show",
    summary: "one service with its settings and instances",
    operands: [service],
    options: [],
    action: directory(() => import("../commands/services/service-show.ts")),
  },
  {
    path: "service add",
    summary: "make a service known before its instances are; microlog and microchat come with a folder",
    operands: [service],
    options: [
      { flags: "--primary <version>", summary: "the version that gets traffic without a route" },
      { flags: "--protocol <protocol>", summary: "default: http", choices: ["http", "h2", "tcp", "amqp"] },
      ...serviceSettings.filter(({ flags }) => !flags.startsWith("--no-")),
      dryRun,
    ],
    action: directory(() => import("../commands/services/service-add.ts")),
    examples: [
      "dw service add microlog",
      "dw service add //barker.internal --default http://barker.internal.example.com",
    ],
  },
  {
    path: "service set",
    summary: "change settings of a service",
    operands: [service],
    options: [...serviceSettings, dryRun],
    action: directory(() => import("../commands/services/service-set.ts")),
    examples: ["dw service set //barker --balance least-connections --timeout 30s"],
  },
  {
    path: "service promote",
    summary: "make a version the primary, and remove the routes that name it",
    operands: [{ text: "<service(version)>", kind: "versions" }],
    options: [dryRun],
    action: directory(() => import("../commands/services/service-promote.ts")),
    examples: ["dw service promote '//barker(2)'"],
  },
  {
    path: "service remove",
    summary: "forget a service that was added",
    operands: [service],
    options: [dryRun],
    action: directory(() => import("../commands/services/service-remove.ts")),
  },
];

/** `dw instance`. */
export const INSTANCE_COMMANDS: readonly CommandGrammar[] = [
  {
    path: "instance list",
    summary: "every instance, or those of one service",
    operands: [{ text: "[service]", kind: "service" }],
    options: [],
    action: directory(() => import("../commands/services/instance-list.ts")),
  },
  {
    path: "instance drain",
    summary: "give an instance no new requests",
    operands: [{ text: "<service@instance>", kind: "instance" }],
    options: [dryRun],
    action: directory(() => import("../commands/services/instance-drain.ts")),
    examples: ["dw instance drain //barker@vm102"],
  },
  {
    path: "instance resume",
    summary: "end a drain",
    operands: [{ text: "<service@instance>", kind: "instance" }],
    options: [dryRun],
    action: directory(() => import("../commands/services/instance-resume.ts")),
  },
];

/** `dw guard`. */
export const GUARD_COMMANDS: readonly CommandGrammar[] = [
  {
    path: "guard release",
    summary: "let the leases end that the guard holds",
    operands: [],
    options: [dryRun],
    action: directory(() => import("../commands/services/guard-release.ts")),
  },
];
