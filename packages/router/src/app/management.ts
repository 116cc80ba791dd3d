import { KeptAddress } from "../engine/kept-address.ts";
import { Refused } from "../engine/refused.ts";
import type { Manage } from "../wire/management-link.ts";
import { queuesOf, type StatusSources } from "./status.ts";
import { why } from "./why.ts";

/** Answers what `dw` asks: `queue-list`, `link-list`, `why`, and does `queue-purge` and `queue-remove`. */
export function createManagement(sources: StatusSources): Manage {
  const { broker, peers, host } = sources;
  const links = () => [...peers].flatMap((peer) => peer.links(host));
  const named = (address: string | null): string => {
    if (address === null) throw new Refused("amqp:invalid-field", "Cannot do that: the question names no address");
    return address;
  };
  const kept = (name: string): KeptAddress => {
    const found = broker.find(name);
    if (found instanceof KeptAddress) return found;
    throw new Refused("amqp:not-found", `Cannot find ${name}: there is no such queue or topic`);
  };
  return (operation, address) => {
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
      default:
        throw new Refused("amqp:not-implemented", `Cannot do ${JSON.stringify(operation)}: there is no such operation`);
    }
  };
}
