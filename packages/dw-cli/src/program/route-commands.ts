import type { CommandGrammar } from "../grammar/command.ts";
import { ahead, deniable, directory, dryRun, readings, source, target } from "./parts.ts";

/** `dw route`, and the callers that routes are for. */
export const ROUTE_COMMANDS: readonly CommandGrammar[] = [
  {
    path: "route list",
    summary: "the effective distribution of every service or of one, routes or not",
    operands: [{ text: "[service]", kind: "service" }],
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
];
