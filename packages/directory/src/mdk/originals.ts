import type { Logs } from "../traces/logs.ts";
import type { Relay } from "./relay.ts";
import type { MdkReport, MdkSession } from "./session.ts";

/** The most calls of which it is remembered that they were counted. */
const INTERACTIONS_MAX = 100_000;

/** The originals of a tenant, and what they share. */
export class Originals {
  readonly relay: Relay;
  readonly logs: Logs;
  readonly #open = new Set<MdkSession>();
  readonly #interactions = new Set<string>();

  constructor({ relay, logs }: { readonly relay: Relay; readonly logs: Logs }) {
    this.relay = relay;
    this.logs = logs;
  }

  /** Of which interactions it is known that they were counted: an original sends each again after every reconnect. */
  readonly interactions = {
    isNew: (uuid: string): boolean => {
      if (this.#interactions.has(uuid)) return false;
      this.#interactions.add(uuid);
      for (const oldest of this.#interactions) {
        if (this.#interactions.size <= INTERACTIONS_MAX) break;
        this.#interactions.delete(oldest);
      }
      return true;
    },
  };

  /** An original has connected; the function returned says that it has left. */
  enter(session: MdkSession): () => void {
    this.#open.add(session);
    return () => this.#open.delete(session);
  }

  /** Those that are connected. */
  reports(): MdkReport[] {
    return [...this.#open].map((session) => session.report());
  }
}
