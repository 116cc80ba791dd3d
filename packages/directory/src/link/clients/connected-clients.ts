import type { Hello, ReportedProblem, RouterReport } from "@datawire/protocol";
import type { Position } from "../../feed/delta-log.ts";
import type { Registry } from "../../registry/registry.ts";
import { registers } from "./rights.ts";

/** What a connected client says of itself, for `dw status` and `dw caller list`. */
export interface ClientReport {
  readonly kind: Hello["kind"];
  readonly name: string;
  readonly id: string;
  readonly version: string;
  readonly zone: string | null;
  readonly sinceMs: number;
  /** What it has applied of the table, or what it was sent where it says nothing of that; null without a subscription. */
  readonly position: Position | null;
  readonly problems: readonly ReportedProblem[];
  /** What a router told of itself; null before that, and for all others. */
  readonly router: RouterReport | null;
}

/** A client that is connected. */
export interface LinkClient {
  /** Null before it has said who it is and after its end. */
  report(): ClientReport | null;
  /** Whether it is alive, since another connection claims its id; one that is not is cut. */
  challenge(): Promise<boolean>;
  /** Tells a Watson which of its instances operators have drained. */
  sendDraining(instances: readonly string[]): void;
  /** Cuts the link, so that the client connects again and states what it has. */
  restate(reason: string): void;
}

/** The clients that have said who they are, from then to the end of their links. */
export class ConnectedClients {
  readonly #all = new Set<LinkClient>();
  /** By id, Watsons and libraries: the only ones for whom two connections with one id would be a conflict. */
  readonly #registering = new Map<string, LinkClient>();

  add(client: LinkClient, { kind, id }: Pick<Hello, "kind" | "id">): void {
    this.#all.add(client);
    if (registers(kind)) this.#registering.set(id, client);
  }

  /** Returns whether what is registered under its id has nobody who speaks for it any more. */
  remove(client: LinkClient, { id }: Pick<Hello, "id">): boolean {
    this.#all.delete(client);
    return this.#registering.get(id) === client && this.#registering.delete(id);
  }

  list(): ClientReport[] {
    return [...this.#all].flatMap((client) => client.report() ?? []);
  }

  /** The one that registers under an id. */
  registering(id: string): LinkClient | null {
    return this.#registering.get(id) ?? null;
  }

  /** Whether a Watson is connected here and alive. */
  async isAlive(id: string): Promise<boolean> {
    return (await this.#registering.get(id)?.challenge()) ?? false;
  }

  /** Makes a Watson connect again and state its set. */
  restate(id: string, reason: string): void {
    this.#registering.get(id)?.restate(reason);
  }

  /** Tells the Watson that holds an instance which of its instances operators have drained. */
  tellDraining(key: string, registry: Pick<Registry, "ownerOf" | "drainedOf">): void {
    const owner = registry.ownerOf(key);
    if (owner !== null) this.#registering.get(owner.id)?.sendDraining(registry.drainedOf(owner.id));
  }
}
