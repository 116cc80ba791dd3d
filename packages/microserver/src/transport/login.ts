import { CONDITION } from "@datawire/amqp";
import type { WireEvents } from "./wire.ts";

/** What proves us to a router; `null`: nothing. */
export type Proof = "token" | "password" | null;

/** Where a login goes to. */
export interface Login {
  /** Its address, with nothing secret in it. */
  readonly router: string;
  readonly proof: Proof;
  /** What may be given, for whoever gave nothing. */
  readonly wanted: string;
}

/**
 * The events of a connection that ends, where the login fails, with what was refused, by which router, and what to give. The
 * router itself says no word of that.
 */
export function tellingOfLogin(events: WireEvents, login: Login): WireEvents {
  let isOpen = false;
  return {
    ...events,
    opened(open) {
      isOpen = true;
      events.opened(open);
    },
    closed(end) {
      const isRefused = !isOpen && end.error?.condition === CONDITION.unauthorizedAccess;
      if (!isRefused) return events.closed(end);
      events.closed({ ...end, error: { condition: CONDITION.unauthorizedAccess, description: refusal(login) } });
    },
  };
}

function refusal({ router, proof, wanted }: Login): string {
  switch (proof) {
    case "token":
      return `Cannot authenticate at ${router}: the router refused the token, wanted one of its directory with the role client that is not revoked`;
    case "password":
      return `Cannot authenticate at ${router}: the router refused the user and password of the url`;
    case null:
      return `Cannot authenticate at ${router}: the router wants a login and got none, wanted ${wanted}`;
  }
}
