import { deadNameOf, plainName } from "../address/scope.ts";
import { isClosedTo } from "../engine/bounds.ts";
import type { Broker } from "../engine/broker.ts";
import { KeptAddress } from "../engine/kept-address.ts";
import { Refused } from "../engine/refused.ts";
import { Queue } from "../queue/queue.ts";
import type { Manage } from "../wire/management-link.ts";
import { keptOf, keptOfKind, named } from "./named-address.ts";

/**
 * In front of the operations that are only tried. A router that knows nothing of it finds no such operation and so does
 * none; a property beside the operation, it would overlook.
 */
const TRY = "try:";

/** What an operation would do, where it is one that is only tried; undefined where it is not. Changes nothing. @throws Refused */
export function tried(
  broker: Broker,
  [operation, address, { to }]: Parameters<Manage>,
  isAway: (address: string) => boolean,
): object | undefined {
  if (!operation.startsWith(TRY)) return undefined;
  switch (operation.slice(TRY.length)) {
    case "queue-purge":
      return { purged: waitingAt(keptOf(broker, named(address))), changed: false };
    case "queue-move": {
      const from = keptOfKind(broker, named(address), "queue");
      if (!isAway(named(to))) requireTaking(broker, named(to), (found) => found.kept instanceof Queue);
      return { moved: fitting(broker.find(named(to)), from, waitingAt(from)), changed: false };
    }
    case "dead-retry":
      requireTaking(broker, named(address), () => true);
      return { moved: fitting(broker.find(named(address)), null, deadOf(broker, named(address))), changed: false };
    case "dead-drop":
      return { purged: deadOf(broker, named(address)), changed: false };
    case "queue-remove":
      return removed(keptOfKind(broker, named(address), "queue"));
    case "topic-remove":
      return removed(keptOfKind(broker, named(address), "topic"));
    default:
      throw new Refused("amqp:not-implemented", `Cannot try ${JSON.stringify(operation.slice(TRY.length))}`);
  }
}

const removed = ({ name, kept }: KeptAddress) => ({
  removed: plainName(name),
  messages: kept.messages,
  changed: false,
});

/** How many messages no consumer has; of a topic, all. */
function waitingAt({ kept }: KeptAddress): number {
  return kept instanceof Queue ? kept.messages - kept.unsettled : kept.messages;
}

function deadOf(broker: Broker, name: string): number {
  const dead = broker.find(deadNameOf(name));
  return dead instanceof KeptAddress ? waitingAt(dead) : 0;
}

/** How many of so many messages there is room for, where their number bounds it: the move ends at the others. */
function fitting(to: ReturnType<Broker["find"]>, from: KeptAddress | null, count: number): number {
  if (!(to instanceof KeptAddress) || to === from) return count;
  const { maxMessages, overflow } = to.settings;
  if (isClosedTo(to, 0)) return 0;
  return maxMessages === null || overflow === "drop-oldest" ? count : Math.min(count, maxMessages - to.kept.messages);
}

/** An address that is not there yet would be made. */
function requireTaking(broker: Broker, name: string, takes: (found: KeptAddress) => boolean): void {
  const found = broker.find(name);
  if (found === null || (found instanceof KeptAddress && takes(found))) return;
  throw new Refused("amqp:not-allowed", `Cannot use ${plainName(name)} for that: it is no queue`);
}
