import type { CommandGrammar, OperandGrammar, OptionGrammar, RunLocal } from "../grammar/command.ts";
import { ROLES } from "@datawire/protocol";
import type { RunCommand } from "../context/dw.ts";

/** What the nouns are, in the order of the help. */
export const NOUNS: Readonly<Record<string, string>> = {
  service: "services and their settings",
  instance: "instances, one by one",
  route: "who gets which share of whose requests",
  caller: "those who call",
  guard: "the guard against ending many leases at once",
  token: "who may do what",
  config: "the settings of dw itself",
};

const directory = (load: () => Promise<{ readonly run: RunCommand }>) => ({ kind: "directory", load }) as const;
const local = (load: () => Promise<{ readonly run: RunLocal }>) => ({ kind: "local", load }) as const;

const service: OperandGrammar = { text: "<service>", kind: "service" };
const source: OperandGrammar = { text: "<source>", kind: "source" };
const target: OperandGrammar = { text: "<target>", kind: "target" };
const dryRun: OptionGrammar = { flags: "--dry-run", summary: "show what would result, and change nothing" };
const ahead: OptionGrammar = { flags: "--ahead", summary: "accept a target that nothing registered matches yet" };
const readings: readonly OptionGrammar[] = [
  { flags: "--caller", summary: "SOURCE is a caller" },
  { flags: "--service", summary: "SOURCE is a service" },
];

/** An option with a value that `--no-…` takes back. */
const deniable = (name: string, value: string, summary: string): OptionGrammar[] => [
  { flags: `--${name} <${value}>`, summary },
  { flags: `--no-${name}`, summary: `drop --${name}` },
];

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

/** Every command, in the order of the help. */
export const COMMANDS: readonly CommandGrammar[] = [
  {
    path: "status",
    summary: "directories, watsons and sherlocks, their table revisions and lag; problems first",
    operands: [],
    options: [],
    action: directory(() => import("../commands/overview/status.ts")),
  },
  {
    path: "explain",
    summary: "where a request would go, and why; an unknown caller counts as any",
    operands: [{ text: "<caller>", kind: "caller" }, service, { text: "[path]", kind: "text" }],
    options: [{ flags: "--header <line...>", summary: "a header of the request, as in 'X-Canary: 1'" }],
    action: directory(() => import("../commands/overview/explain.ts")),
    examples: [
      "dw explain //monolith //barker /orders?beta=1",
      "dw explain //monolith //barker --header 'X-Canary: 1'",
    ],
  },
  {
    path: "doctor",
    summary: "what would keep the programs of this machine from their work, and what to fix",
    operands: [{ text: "[program...]", kind: "text", choices: ["directory", "watson", "sherlock"] }],
    options: [],
    action: local(() => import("../commands/overview/doctor.ts")),
    examples: ["dw doctor watson sherlock"],
  },
  {
    path: "top",
    summary: "shares, requests, errors and latency by service, version and instance, live",
    operands: [],
    options: [{ flags: "--once", summary: "print them once; so do --json and an output that is no terminal" }],
    action: directory(() => import("../commands/overview/top.ts")),
  },
  {
    path: "watch",
    summary: "every change as it happens",
    operands: [],
    options: [],
    action: directory(() => import("../commands/overview/watch.ts")),
  },
  {
    path: "service list",
    summary: "every service with how it stands",
    operands: [],
    options: [],
    action: directory(() => import("../commands/services/service-list.ts")),
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
    summary: "make a service known before its instances are",
    operands: [service],
    options: [
      { flags: "--primary <version>", summary: "the version that gets traffic without a route" },
      { flags: "--protocol <protocol>", summary: "default: http", choices: ["http", "h2", "tcp"] },
      ...serviceSettings.filter(({ flags }) => !flags.startsWith("--no-")),
    ],
    action: directory(() => import("../commands/services/service-add.ts")),
    examples: ["dw service add //barker.internal --default http://barker.internal.example.com"],
  },
  {
    path: "service set",
    summary: "change settings of a service",
    operands: [service],
    options: serviceSettings,
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
    options: [],
    action: directory(() => import("../commands/services/service-remove.ts")),
  },
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
    options: [],
    action: directory(() => import("../commands/services/instance-drain.ts")),
    examples: ["dw instance drain //barker@vm102"],
  },
  {
    path: "instance resume",
    summary: "end a drain",
    operands: [{ text: "<service@instance>", kind: "instance" }],
    options: [],
    action: directory(() => import("../commands/services/instance-resume.ts")),
  },
  {
    path: "route list",
    summary: "the effective distribution of every service, routes or not",
    operands: [],
    options: [{ flags: "-f, --follow", summary: "go on with what changes, until Ctrl-C" }],
    action: directory(() => import("../commands/routes/route-list.ts")),
  },
  {
    path: "route add",
    summary: "send a share of what SOURCE asks of TARGET's service to TARGET",
    operands: [source, target, { text: "[percent]", kind: "text" }],
    options: [
      ...readings,
      ...deniable("when", "condition", "send what matches to TARGET: header:NAME=VALUE, cookie:…, query:…, path:/…"),
      ...deniable("sticky", "key", "keep the same user on the same side: header:NAME, cookie:NAME, ip"),
      ...deniable("for", "duration", "end the change after this"),
      dryRun,
      ahead,
    ],
    action: directory(() => import("../commands/routes/route-add.ts")),
    examples: [
      "dw route add //monolith '//barker(2)' 10%",
      "dw route add '//*' //barker:2 0% --when header:X-Canary=1",
    ],
  },
  {
    path: "route remove",
    summary: "take a route away",
    operands: [source, target],
    options: [...readings, dryRun],
    action: directory(() => import("../commands/routes/route-remove.ts")),
  },
  {
    path: "route set",
    summary: "several shares at once, all or nothing",
    operands: [source, { text: "<target=percent...>", kind: "target" }],
    options: [...readings, dryRun, ahead],
    action: directory(() => import("../commands/routes/route-set.ts")),
    examples: ["dw route set //monolith '//barker(2)=10%' '//barker(3)=5%'"],
  },
  {
    path: "route history",
    summary: "who changed what, the newest first",
    operands: [],
    options: [{ flags: "--limit <n>", summary: "how many changes; default: 20" }],
    action: directory(() => import("../commands/routes/route-history.ts")),
  },
  {
    path: "route undo",
    summary: "take back the last change that is not undone yet",
    operands: [],
    options: [dryRun],
    action: directory(() => import("../commands/routes/route-undo.ts")),
  },
  {
    path: "caller list",
    summary: "the Sherlocks and libraries that are connected",
    operands: [],
    options: [],
    action: directory(() => import("../commands/routes/caller-list.ts")),
  },
  {
    path: "guard release",
    summary: "let the leases end that the guard holds",
    operands: [],
    options: [],
    action: directory(() => import("../commands/services/guard-release.ts")),
  },
  {
    path: "token create",
    summary: "make a token; it is shown this once",
    operands: [],
    options: [
      { flags: "--role <role>", summary: "what it is for", choices: ROLES },
      {
        flags: "--services <pattern...>",
        summary: "for a watson or a library: register these alone, as in 'billing-*'",
      },
      { flags: "--expires <duration>", summary: "end it after this; default: when it is revoked" },
      { flags: "--tenant <name>", summary: "a table of its own, shared with nobody but the tokens of this tenant" },
    ],
    action: directory(() => import("../commands/tokens/token-create.ts")),
    examples: ["dw token create --role watson --services 'billing-*' --expires 2160h"],
  },
  {
    path: "token list",
    summary: "every token, without its secret",
    operands: [],
    options: [],
    action: directory(() => import("../commands/tokens/token-list.ts")),
  },
  {
    path: "token revoke",
    summary: "end a token, and every link that uses it",
    operands: [{ text: "<id>", kind: "text" }],
    options: [],
    action: directory(() => import("../commands/tokens/token-revoke.ts")),
  },
  {
    path: "config init",
    summary: "write a settings file with everything explained",
    operands: [],
    options: [],
    action: local(() => import("../commands/local/config-init.ts")),
  },
  {
    path: "config list",
    summary: "each setting with where it comes from",
    operands: [],
    options: [],
    action: local(() => import("../commands/local/config-list.ts")),
    isDefault: true,
  },
  {
    path: "config get",
    summary: "one setting",
    operands: [{ text: "<key>", kind: "text" }],
    options: [],
    action: local(() => import("../commands/local/config-get.ts")),
  },
  {
    path: "config set",
    summary: "change one setting in the settings file",
    operands: [
      { text: "<key>", kind: "text" },
      { text: "<value>", kind: "text" },
    ],
    options: [],
    action: local(() => import("../commands/local/config-set.ts")),
    examples: ["dw config set directory //services.example.com/directory"],
  },
  {
    path: "completion",
    summary: "a script that completes commands and names in your shell",
    operands: [{ text: "<shell>", kind: "text", choices: ["bash", "zsh", "fish"] }],
    options: [],
    action: local(() => import("../commands/local/completion.ts")),
    examples: ["dw completion bash > ~/.local/share/bash-completion/completions/dw"],
  },
  {
    path: "__complete",
    summary: "what may follow on a command line",
    operands: [{ text: "[words...]", kind: "text" }],
    options: [],
    action: local(() => import("../commands/local/complete.ts")),
    hidden: true,
  },
];

/** The daemons that `dw` starts too. */
export const DAEMONS: Readonly<Record<string, string>> = {
  directory: "start a directory",
  watson: "start a watson",
  sherlock: "start a sherlock",
};
