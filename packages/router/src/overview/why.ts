import type { ReportedProblem } from "@datawire/protocol";
import { plainName } from "../address/scope.ts";
import type { LinkStatus } from "./links.ts";
import type { QueueStatus } from "./queues.ts";

/** Why nothing moves at an address, as `dw why --json` has it. */
export interface Why {
  readonly address: string;
  readonly kind: QueueStatus["kind"] | null;
  readonly state: QueueStatus["state"] | null;
  readonly reason: QueueStatus["reason"];
  /** A sentence for people. */
  readonly text: string;
  readonly links: readonly LinkStatus[];
}

/** What of a router says why something does not move. */
export interface WhyFacts {
  readonly queues: readonly QueueStatus[];
  readonly links: readonly LinkStatus[];
  readonly problems: readonly Pick<ReportedProblem, "subject" | "message">[];
}

/** Says why nothing moves at an address, or that it does. */
export function why(address: string, { queues, links, problems }: WhyFacts): Why {
  const queue = queues.find((one) => one.address === address);
  const mine = links.filter((link) => link.address === address);
  if (queue === undefined) {
    const text = `nobody has used ${plainName(address)} since it was last forgotten: it is made on first use`;
    return { address, kind: null, state: null, reason: null, text, links: mine };
  }
  const { kind, state, reason } = queue;
  const [service] = plainName(address).split("/");
  const away = problems.filter(({ subject }) => kind === "service" && subject.startsWith(`//${service}@`));
  const text = [textOf(queue, mine), ...away.map(({ subject, message }) => `${subject}: ${message}`)].join("; ");
  return { address, kind, state, reason, text, links: mine };
}

function textOf(queue: QueueStatus, links: readonly LinkStatus[]): string {
  const { messages, unsettled, consumers, senders, inPerS, outPerS } = queue;
  // What the last of the subscriptions of a topic still has to read.
  const lag = Math.max(0, ...links.map((link) => link.lag ?? 0));
  const waiting = queue.kind === "topic" ? lag : messages - unsettled;
  const behind =
    queue.unread === 0
      ? ""
      : `; a durable subscription without a consumer has ${count(queue.unread, "message")} to read (\`dw topic show\` has which)`;
  switch (queue.reason) {
    case "disk-full":
      return (
        "the disk takes nothing, so senders have no credit; " +
        (links.some(({ direction, reason }) => direction === "out" && reason === "disk-full")
          ? "consumers that have rejected so many messages that more would not fit into memory get no more"
          : "what is there goes on to consumers")
      );
    case "limit":
      if (queue.kind === "topic")
        return `it is full (${messages} messages, ${queue.bytes} bytes), more than retention keeps, as a durable subscription has not read them (\`dw topic show\` has which): senders have no credit until it does or is ended`;
      return `it is full (${messages} messages, ${queue.bytes} bytes), so senders have no credit until consumers take some`;
    case "no-consumer":
      return queue.kind === "direct" || queue.kind === "service"
        ? `${waits(senders, "sender")}, and nobody receives`
        : `${wait(messages)}, and nobody receives`;
    case "window":
      return `${wait(waiting)}, and of ${count(consumers, "consumer")} with credit the window of the session is used up, or nobody reads what was sent`;
    case "unsettled-limit":
      return `${wait(waiting)}, and the consumers have as many unsettled as they may (limits.unsettled): they have to settle some`;
    case "held":
      return `${wait(waiting)}, and the consumers that there are belong to versions that are held`;
    case "waits-for-upstream":
      return `${waits(senders + consumers, "link")} for the upstream, which does not answer`;
    case "no-credit": {
      const holding = links.filter((link) => link.direction === "out" && link.unsettled > 0).length;
      const held = holding > 0 ? `; ${holding} of them hold ${unsettled} that they have not settled` : "";
      const who = queue.kind === "direct" || queue.kind === "service" ? waits(senders, "sender") : wait(waiting);
      return `${who}, and none of ${count(consumers, "consumer")} gives credit${held}`;
    }
    case null:
      if (queue.state === "moving") return `it moves: ${inPerS} in and ${outPerS} out a second${behind}`;
      return unsettled > 0
        ? `nothing waits; consumers have ${unsettled} that they have not settled${behind}`
        : behind === ""
          ? "nothing waits there"
          : `nothing waits for the consumers that there are${behind}`;
  }
}

const count = (many: number, what: string): string => `${many} ${what}${many === 1 ? "" : "s"}`;
const waits = (many: number, what: string): string => `${count(many, what)} ${many === 1 ? "waits" : "wait"}`;
const wait = (many: number): string => waits(many, "message");
