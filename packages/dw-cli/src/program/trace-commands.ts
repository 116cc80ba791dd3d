import { LOG_LEVELS } from "@datawire/protocol";
import { directory } from "./parts.ts";
import type { CommandGrammar, OptionGrammar } from "../grammar/command.ts";

const query = { text: "[query...]", kind: "text" } as const;
const service: OptionGrammar = { flags: "--service <service>", summary: "of this service" };
const level: OptionGrammar = {
  flags: "--level <level>",
  summary: "of this level and worse: critical, error, warn, info, debug",
  suggestions: LOG_LEVELS.map((word) => word.toLowerCase()),
};
const since: OptionGrammar = { flags: "--since <duration>", summary: "not before this long ago, as in 15m" };

/** The commands about traces and logs. */
export const TRACE_COMMANDS: readonly CommandGrammar[] = [
  {
    path: "log",
    summary: "what services and sessions have logged, the newest last",
    operands: [query],
    options: [
      service,
      level,
      { flags: "--trace <id>", summary: "of this trace" },
      since,
      { flags: "-n, --lines <n>", summary: "how many; default: 20" },
      { flags: "-f, --follow", summary: "go on with what is logged from now on, until Ctrl-C" },
    ],
    action: directory(() => import("../commands/traces/log.ts")),
    examples: ["dw log 'payment \"card declined\" user.id=42' --service //shop --level warn --since 1h", "dw log -f"],
  },
  {
    path: "trace list",
    summary: "traces, the newest first",
    operands: [query],
    options: [
      service,
      { flags: "--error", summary: "with an error" },
      { flags: "--min <duration>", summary: "of this duration and longer, as in 250ms" },
      level,
      since,
      { flags: "--from <moment>", summary: "from this moment on: RFC 3339, or milliseconds since 1970" },
      { flags: "--to <moment>", summary: "before this moment" },
      { flags: "--limit <n>", summary: "how many; default: 20" },
    ],
    action: directory(() => import("../commands/traces/trace-list.ts")),
    examples: ["dw trace list 'GET /checkout' --error --min 250ms --since 1h"],
  },
  {
    path: "trace show",
    summary: "the spans and log events of one trace",
    operands: [{ text: "<id>", kind: "text" }],
    options: [],
    action: directory(() => import("../commands/traces/trace-show.ts")),
  },
];
