import { ROLES } from "@datawire/protocol";
import type { CommandGrammar } from "../grammar/command.ts";
import { directory, dryRun, local } from "./parts.ts";

/** `dw token`. */
export const TOKEN_COMMANDS: readonly CommandGrammar[] = [
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
      {
        flags: "--send <pattern...>",
        summary: "for a client or a library: addresses that it may send to, as in 'orders/**'",
      },
      { flags: "--listen <pattern...>", summary: "and those that it may receive from" },
      {
        flags: "--hosts <pattern...>",
        summary: "for a router: names that its certificate may have; default: those of the machine it comes from",
      },
      { flags: "--expires <duration>", summary: "end it after this; default: when it is revoked" },
      { flags: "--tenant <name>", summary: "a table of its own, shared with nobody but the tokens of this tenant" },
      dryRun,
    ],
    action: directory(() => import("../commands/tokens/token-create.ts")),
    examples: [
      "dw token create --role watson --services 'billing-*' --expires 2160h",
      "dw token create --role client --send 'orders/**' --listen 'invoices'",
      "dw token create --role router --hosts vm101.example.com",
    ],
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
    options: [dryRun],
    action: directory(() => import("../commands/tokens/token-revoke.ts")),
  },
];

/** `dw up`, `dw down`, `dw config`, and what completes a command line. */
export const LOCAL_COMMANDS: readonly CommandGrammar[] = [
  {
    path: "up",
    summary: "start a directory and a router for you, in the background, on this machine alone",
    operands: [],
    options: [],
    action: local(() => import("../commands/local/up.ts")),
  },
  {
    path: "down",
    summary: "end what `dw up` has started",
    operands: [],
    options: [],
    action: local(() => import("../commands/local/down.ts")),
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
