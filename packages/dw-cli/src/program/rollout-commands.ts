import type { CommandGrammar, OperandGrammar, OptionGrammar } from "../grammar/command.ts";
import { directory, dryRun } from "./parts.ts";

const rollout: OperandGrammar = { text: "<rollout>", kind: "service" };
const reason: OptionGrammar = { flags: "--reason <text>", summary: "why, for the history" };
const POLICIES = ["wait", "pause", "pass", "fail"];

const command = (verb: "pause" | "resume" | "abort" | "promote") =>
  directory(async () => {
    const { commandRollout } = await import("../commands/rollouts/rollout-command.ts");
    return { run: commandRollout(verb) };
  });

/** `dw rollout`. */
export const ROLLOUT_COMMANDS: readonly CommandGrammar[] = [
  {
    path: "rollout start",
    summary: "take a version from a small share to all, and back by itself when it is worse",
    operands: [{ text: "[target]", kind: "target" }],
    options: [
      { flags: "--from <source>", summary: "take the requests of this caller alone" },
      { flags: "--steps <list>", summary: "SHARE:DURATION,… ; default: 1%:5m,10%:10m,50%:10m" },
      {
        flags: "--check <check...>",
        summary: "error-rate <= 1%, p99 <= 300ms, error-rate <= primary + 1% (the default), p99 <= primary * 1.2",
      },
      { flags: "--no-data <policy>", summary: "what becomes of a step without data in time", choices: POLICIES },
      { flags: "--undecided <policy>", summary: "what becomes of one that is undecided in time", choices: POLICIES },
      { flags: "--minimum <n>", summary: "requests before a check says anything; default: 20" },
      {
        flags: "--step-timeout <duration>",
        summary: "when that is decided; default: 3 times what the step is watched for",
      },
      { flags: "--confidence <percent>", summary: "how sure a verdict is; default: 99%" },
      { flags: "--sticky <key>", summary: "keep the same user on the same side: header:NAME, cookie:NAME, ip" },
      { flags: "--finish <end>", summary: "what follows the last step", choices: ["promote", "keep"] },
      { flags: "--file <path>", summary: "read all this from a file of YAML; options win" },
      { flags: "--wait", summary: "until its end: 0 promoted, 1 taken back, 2 paused" },
      dryRun,
    ],
    action: directory(() => import("../commands/rollouts/rollout-start.ts")),
    examples: [
      "dw rollout start '//barker(2)'",
      "dw rollout start '//barker(2)' --steps 10%:5m,50%:5m --check 'error-rate <= 1%' 'p99 <= 300ms' --wait",
      "dw rollout start --file barker-2.yaml --dry-run",
    ],
  },
  {
    path: "rollout list",
    summary: "the rollouts that go on",
    operands: [],
    options: [{ flags: "--all", summary: "those that have ended too" }],
    action: directory(() => import("../commands/rollouts/rollout-list.ts")),
    isDefault: true,
  },
  {
    path: "rollout show",
    summary: "the steps of one, by its id or //SERVICE, and what its checks say",
    operands: [rollout],
    options: [{ flags: "-f, --follow", summary: "go on with what changes, until its end" }],
    action: directory(() => import("../commands/rollouts/rollout-show.ts")),
  },
  {
    path: "rollout pause",
    summary: "stop where it is; the shares stay",
    operands: [rollout],
    options: [reason, dryRun],
    action: command("pause"),
  },
  {
    path: "rollout resume",
    summary: "go on after a pause",
    operands: [rollout],
    options: [reason, dryRun],
    action: command("resume"),
  },
  {
    path: "rollout abort",
    summary: "end it and bring back the routes from before",
    operands: [rollout],
    options: [reason, dryRun],
    action: command("abort"),
  },
  {
    path: "rollout promote",
    summary: "go to the end at once",
    operands: [rollout],
    options: [{ flags: "--step", summary: "to the next step alone" }, reason, dryRun],
    action: command("promote"),
  },
];
