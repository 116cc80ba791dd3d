import { KeptAddress } from "../engine/kept-address.ts";
import { lookAt, moveMessages } from "../engine/mover.ts";
import { Refused } from "../engine/refused.ts";
import { deadNameOf } from "../address/scope.ts";
import { deadLetter } from "../wire/dead-letter.ts";
import type { Manage } from "../wire/management-link.ts";
import { linksOf } from "./links.ts";
import { queuesOf } from "./queues.ts";
import type { StatusSources } from "./status.ts";
import { why } from "./why.ts";

/** How many dead letters are shown. */
const LOOK_MAX = 100;

/** Answers what `dw` asks, and does what it wants done. */
export function createManagement(sources: StatusSources): Manage {
  const { broker } = sources;
  const links = () => linksOf(sources, queuesOf(sources));
  const named = (address: string | null): string => {
    if (address === null) throw new Refused("amqp:invalid-field", "Cannot do that: the question names no address");
    return address;
  };
  const kept = (name: string): KeptAddress => {
    const found = broker.find(name);
    if (found instanceof KeptAddress) return found;
    throw new Refused("amqp:not-found", `Cannot find ${name}: there is no such queue or topic`);
  };
  /** Does something with the dead letters of an address, where there are any. */
  const deadOf = async <T>(address: string, use: (dead: KeptAddress) => Promise<T>, none: T): Promise<T> => {
    const dead = broker.find(deadNameOf(address));
    return dead instanceof KeptAddress ? use(dead) : none;
  };
  const { nowMs } = sources;
  const move = async (from: KeptAddress, to: string) => ({
    moved: await moveMessages(from, broker.queue(to), { later: (next) => broker.intake.whenTaking(next), nowMs }),
  });
  return (operation, address, to) => {
    switch (operation) {
      case "queue-list":
        return queuesOf(sources);
      case "link-list":
        return links();
      case "why":
        return why(named(address), { queues: queuesOf(sources), links: links() });
      case "queue-purge":
        return { purged: kept(named(address)).kept.purge() };
      case "queue-remove": {
        const { name } = kept(named(address));
        broker.remove(name);
        return { removed: name };
      }
      case "queue-move":
        return move(broker.queue(named(address)), named(to));
      case "dead-list":
        return deadOf(named(address), async (dead) => (await lookAt(dead, LOOK_MAX, setImmediate)).map(deadLetter), []);
      case "dead-retry":
        return deadOf(named(address), (dead) => move(dead, named(address)), { moved: 0 });
      case "dead-drop":
        return deadOf(named(address), async (dead) => ({ purged: dead.kept.purge() }), { purged: 0 });
      default:
        throw new Refused("amqp:not-implemented", `Cannot do ${JSON.stringify(operation)}: there is no such operation`);
    }
  };
}
