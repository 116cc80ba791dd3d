import type { CommandGrammar } from "../grammar/command.ts";
import { directory, local, service } from "./parts.ts";

/** What stands alone: how all is, and why. */
export const OVERVIEW_COMMANDS: readonly CommandGrammar[] = [
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
    options: [{ flags: "--all", summary: "try every live instance, also where there are more than a thousand" }],
    action: local(() => import("../commands/overview/doctor.ts")),
    examples: ["dw doctor watson sherlock"],
  },
  {
    path: "top",
    summary: "shares, requests, errors and latency by service, version and instance, live; of all services or of one",
    operands: [{ text: "[service]", kind: "service" }],
    options: [{ flags: "--once", summary: "print them once; so do --json and an output that is no terminal" }],
    action: directory(() => import("../commands/overview/top.ts")),
  },
  {
    path: "console",
    summary: "open Mission Control in your browser, signed in",
    operands: [],
    options: [{ flags: "--print", summary: "print the address instead; it signs in once, within a minute" }],
    action: directory(() => import("../commands/overview/console.ts")),
  },
  {
    path: "watch",
    summary: "every change as it happens",
    operands: [],
    options: [],
    action: directory(() => import("../commands/overview/watch.ts")),
  },
];
