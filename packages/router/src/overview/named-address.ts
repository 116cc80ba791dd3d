import { plainName } from "../address/scope.ts";
import type { Broker } from "../engine/broker.ts";
import { KeptAddress } from "../engine/kept-address.ts";
import { Refused } from "../engine/refused.ts";

/** The queue or topic of a name. @throws Refused where there is none. */
export function keptOf(broker: Broker, name: string): KeptAddress {
  const found = broker.find(name);
  if (found instanceof KeptAddress) return found;
  throw new Refused("amqp:not-found", `Cannot find ${plainName(name)}: there is no such queue or topic`);
}

/** The same, where only one of the two will do. @throws Refused where there is none, or the other. */
export function keptOfKind(broker: Broker, name: string, kind: "queue" | "topic"): KeptAddress {
  const found = keptOf(broker, name);
  if (found.kind === kind) return found;
  throw new Refused("amqp:not-allowed", `Cannot use ${plainName(name)} as a ${kind}: it is a ${found.kind}`);
}

/** The address that is to be named in a question. @throws Refused where it is not. */
export function named(address: string | null): string {
  if (address === null) throw new Refused("amqp:invalid-field", "Cannot do that: the question names no address");
  return address;
}
