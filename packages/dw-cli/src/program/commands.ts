import type { CommandGrammar } from "../grammar/command.ts";
import { LOCAL_COMMANDS, TOKEN_COMMANDS } from "./local-commands.ts";
import { MESSAGING_COMMANDS } from "./messaging-commands.ts";
import { OVERVIEW_COMMANDS } from "./overview-commands.ts";
import { ROUTE_COMMANDS } from "./route-commands.ts";
import { ROLLOUT_COMMANDS } from "./rollout-commands.ts";
import { TRACE_COMMANDS } from "./trace-commands.ts";
import { GUARD_COMMANDS, INSTANCE_COMMANDS, SERVICE_COMMANDS } from "./service-commands.ts";

/** What the nouns are, in the order of the help. */
export const NOUNS: Readonly<Record<string, string>> = {
  service: "services and their settings",
  instance: "instances, one by one",
  route: "who gets which share of whose requests",
  rollout: "versions on their way from a share to all, judged by what is counted",
  caller: "those who call",
  guard: "the guard against ending many leases at once",
  link: "who sends to a router and receives from it",
  queue: "queues and other addresses of a router",
  topic: "topics of a router",
  token: "who may do what",
  trace: "what became of requests, across services",
  config: "the settings of dw itself",
};

/** Every command, in the order of the help. */
export const COMMANDS: readonly CommandGrammar[] = [
  ...OVERVIEW_COMMANDS,
  ...SERVICE_COMMANDS,
  ...INSTANCE_COMMANDS,
  ...ROUTE_COMMANDS,
  ...ROLLOUT_COMMANDS,
  ...TRACE_COMMANDS,
  ...GUARD_COMMANDS,
  ...MESSAGING_COMMANDS,
  ...TOKEN_COMMANDS,
  ...LOCAL_COMMANDS,
];

/** The daemons that `dw` starts too. */
export const DAEMONS: Readonly<Record<string, string>> = {
  agent: "start a watson and a sherlock in one process",
  directory: "start a directory",
  watson: "start a watson",
  sherlock: "start a sherlock",
  router: "start a router",
};
