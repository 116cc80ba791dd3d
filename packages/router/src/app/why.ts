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

/** Says why nothing moves at an address, or that it does. */
export function why(
  address: string,
  { queues, links }: { readonly queues: readonly QueueStatus[]; readonly links: readonly LinkStatus[] },
): Why {
  const queue = queues.find((one) => one.address === address);
  const mine = links.filter((link) => link.address === address);
  if (queue === undefined) {
    const text = `nobody has used ${address} since it was last forgotten: it is made on first use`;
    return { address, kind: null, state: null, reason: null, text, links: mine };
  }
  const { kind, state, reason } = queue;
  return { address, kind, state, reason, text: textOf(queue, mine), links: mine };
}

function textOf(queue: QueueStatus, links: readonly LinkStatus[]): string {
  const { messages, unsettled, consumers, senders, inPerS, outPerS } = queue;
  switch (queue.reason) {
    case "disk-full":
      return "the disk takes nothing, so senders have no credit; what is there goes on to consumers";
    case "limit":
      return `it is full (${messages} messages, ${queue.bytes} bytes), so senders have no credit until consumers take some`;
    case "no-consumer":
      return queue.kind === "direct"
        ? `${senders} ${senders === 1 ? "sender waits" : "senders wait"}, and nobody receives`
        : `${wait(messages)}, and nobody receives`;
    case "no-credit": {
      const holding = links.filter((link) => link.direction === "out" && link.unsettled > 0).length;
      const held = holding > 0 ? `; ${holding} of them hold ${unsettled} that they have not settled` : "";
      return `${wait(messages - unsettled)}, and none of ${consumers} ${consumers === 1 ? "consumer" : "consumers"} gives credit${held}`;
    }
    case null:
      if (queue.state === "moving") return `it moves: ${inPerS} in and ${outPerS} out a second`;
      return unsettled > 0
        ? `nothing waits; consumers have ${unsettled} that they have not settled`
        : "nothing waits there";
  }
}

const wait = (count: number): string => `${count} ${count === 1 ? "message waits" : "messages wait"}`;
