import type { CommandGrammar, OperandGrammar, OptionGrammar } from "../grammar/command.ts";
import { dryRun, local } from "./parts.ts";

const address: OperandGrammar = { text: "<address>", kind: "text" };
const router: OptionGrammar = {
  flags: "-r, --router <address>",
  summary:
    "HOST:PORT, amqp://… or amqps://[USER:PASSWORD@]HOST of the router (default: DATAWIRE_ROUTER, else the directory's routers, else localhost:5672)",
};

const SIZE = "a size such as 10MiB, or none";
const DURATION = "a duration such as 5m, or none";
/** What may hold for one address; `default` gives it back to the rules of router.yaml. */
const common: readonly OptionGrammar[] = [
  router,
  { flags: "--max-deliveries <number>", summary: "failed deliveries after which a message goes to dead/ADDRESS" },
  { flags: "--dedupe <duration>", summary: `how long a message-id is remembered: ${DURATION}` },
  {
    flags: "--expired <what>",
    summary: "what becomes of messages whose time is over: drop or dead",
    suggestions: ["drop", "dead"],
  },
];
const ofQueue: readonly OptionGrammar[] = [
  ...common,
  { flags: "--max-messages <number>", summary: "how many it may hold, or none" },
  { flags: "--max-bytes <size>", summary: `what they may take together: ${SIZE}` },
  {
    flags: "--overflow <what>",
    summary: "what happens at a bound: refuse, reject or drop-oldest",
    suggestions: ["refuse", "reject", "drop-oldest"],
  },
];
const ofTopic: readonly OptionGrammar[] = [
  ...common,
  { flags: "--retention-age <duration>", summary: `how old messages may get: ${DURATION}` },
  { flags: "--retention-bytes <size>", summary: `what they may take together: ${SIZE}` },
  {
    flags: "--overflow <what>",
    summary: "whether what a durable subscription has not read is kept (refuse) or goes (drop-oldest)",
    suggestions: ["refuse", "drop-oldest"],
  },
];
const change = () => import("../commands/messaging/address-change.ts");
const shown = () => import("../commands/messaging/address-show.ts");

/** The verbs that queues and topics have alike. */
const kept = (kind: "queue" | "topic", options: readonly OptionGrammar[]): readonly CommandGrammar[] => [
  {
    path: `${kind} show`,
    summary: `all that there is to say of a ${kind}: what waits, what holds, its links`,
    operands: [address],
    options: [router],
    action: local(async () => ({ run: (await shown()).show(kind) })),
  },
  {
    path: `${kind} create`,
    summary: `make a ${kind} that stays until it is removed, and say what is to hold for it`,
    operands: [address],
    options,
    action: local(async () => ({ run: (await change()).create(kind) })),
    examples:
      kind === "queue"
        ? ["dw queue create //orders --max-bytes 10GiB --dedupe 5m"]
        : ["dw topic create //topic/news --retention-age 30d"],
  },
  {
    path: `${kind} set`,
    summary: `change what holds for a ${kind}, at once and for good`,
    operands: [address],
    options,
    action: local(async () => ({ run: (await change()).set(kind) })),
    examples:
      kind === "queue"
        ? ["dw queue set //orders --max-deliveries 5", "dw queue set //orders --max-deliveries default"]
        : ["dw topic set //topic/news --retention-bytes none"],
  },
  {
    path: `${kind} remove`,
    summary: `take a ${kind} away, with its messages and its links`,
    operands: [address],
    options: [router, dryRun],
    action: local(async () => ({ run: (await change()).remove(kind) })),
  },
];

/** Messages, and what there is of them at a router. */
export const MESSAGING_COMMANDS: readonly CommandGrammar[] = [
  {
    path: "send",
    summary: "send messages to an address, and say what became of them",
    operands: [address, { text: "[body...]", kind: "text" }],
    options: [
      router,
      { flags: "--count <number>", summary: "send each so often (default: once)" },
      { flags: "--subject <text>", summary: "what it is about" },
      { flags: "--property <key=value...>", summary: "an application property" },
      { flags: "--ttl <duration>", summary: "how long it is of use" },
      { flags: "--request", summary: "wait for an answer, and print its body" },
      { flags: "--presettled", summary: "do not ask what became of it" },
    ],
    action: local(() => import("../commands/messaging/send.ts")),
    examples: ["dw send //orders 'hello'", "cat orders.txt | dw send //orders -", "dw send //barker 'woof?' --request"],
  },
  {
    path: "listen",
    summary: "print what comes at an address, a message a line",
    operands: [address],
    options: [
      router,
      { flags: "--count <number>", summary: "end after so many" },
      { flags: "--timeout <duration>", summary: "end with 1 after this" },
      { flags: "--from <place>", summary: "of a topic: first, last, an offset, -N or a time" },
      { flags: "--selector <condition>", summary: "take only what this is true of, as in \"colour = 'red'\"" },
      { flags: "--name <name>", summary: "of a topic: go on where the subscription of this name was left" },
      { flags: "--keep", summary: "give everything back at the end" },
    ],
    action: local(() => import("../commands/messaging/listen.ts")),
    examples: ["dw listen //orders", "dw listen //topic/news --from -10 --count 10"],
  },
  {
    path: "why",
    summary: "why nothing moves at an address",
    operands: [address],
    options: [router],
    action: local(() => import("../commands/messaging/why.ts")),
    examples: ["dw why //orders"],
  },
  {
    path: "link list",
    summary: "every link of a router, those that do not move first",
    operands: [],
    options: [router],
    action: local(() => import("../commands/messaging/link-list.ts")),
    isDefault: true,
  },
  {
    path: "queue list",
    summary: "every address of a router with what waits there, those that do not move first",
    operands: [],
    options: [router],
    action: local(() => import("../commands/messaging/queue-list.ts")),
    isDefault: true,
  },
  {
    path: "queue purge",
    summary: "drop the messages of an address that no consumer has",
    operands: [address],
    options: [router, dryRun],
    action: local(() => import("../commands/messaging/queue-purge.ts")),
  },
  {
    path: "queue move",
    summary: "move the messages of a queue that no consumer has to another one",
    operands: [
      { text: "<from>", kind: "text" },
      { text: "<to>", kind: "text" },
    ],
    options: [router, dryRun],
    action: local(() => import("../commands/messaging/queue-move.ts")),
  },
  {
    path: "queue dead",
    summary: "show the dead letters of an address, put them back into it, or drop them",
    operands: [{ text: "<action>", kind: "text", choices: ["list", "retry", "drop"] }, address],
    options: [router, dryRun],
    action: local(() => import("../commands/messaging/queue-dead.ts")),
    examples: ["dw queue dead list //orders", "dw queue dead retry //orders"],
  },
  ...kept("queue", ofQueue),
  {
    path: "topic list",
    summary: "every topic of a router, those that do not move first",
    operands: [],
    options: [router],
    action: local(async () => ({ run: (await import("../commands/messaging/queue-list.ts")).topics })),
    isDefault: true,
  },
  ...kept("topic", ofTopic),
];
