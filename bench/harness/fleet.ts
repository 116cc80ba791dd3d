import { type LinkHandler, type LinkMessage, type LinkSession, runLink } from "@datawire/link";
import type { DirectoryAddress, Registration } from "@datawire/protocol";
import { noLog, systemClock } from "@datawire/runtime";

/** How many Watsons there are, with how many instances each, of how many services together. */
export interface FleetSize {
  readonly watsons: number;
  readonly each: number;
  readonly services: number;
}

export interface FleetOptions {
  /** The directories that a Watson knows, in its order. */
  readonly replicasOf: (watson: number) => readonly DirectoryAddress[];
  /** Where all instances say that they listen: on the first addresses of 127/8. */
  readonly port?: number;
}

/** Many simulated Watsons in this process: each has the link of the real one, and nothing to check. */
export class Fleet {
  readonly watsons: readonly SimulatedWatson[];
  readonly #stopping = new AbortController();
  readonly #links: readonly Promise<void>[];

  constructor(size: FleetSize, { replicasOf, port = 8_000 }: FleetOptions) {
    this.watsons = Array.from({ length: size.watsons }, (_, index) => new SimulatedWatson(index, size, port));
    this.#links = this.watsons.map((watson, index) => watson.run(replicasOf(index), this.#stopping.signal));
  }

  get instances(): number {
    return this.watsons.reduce((sum, { instances }) => sum + instances.length, 0);
  }

  /** How many Watsons a directory has in sight, with all that they have. */
  get registered(): number {
    return this.watsons.filter(({ registeredMs }) => registeredMs !== null).length;
  }

  async stop(): Promise<void> {
    this.#stopping.abort();
    await Promise.all(this.#links);
  }
}

/** One of them. */
export class SimulatedWatson implements LinkHandler {
  readonly instances: Registration[];
  /** When a directory answered to the whole set on this connection, by `performance.now()`; null until then. */
  registeredMs: number | null = null;
  /** When it last lost its connection, by `performance.now()`. */
  lostMs: number | null = null;
  /** How many instances directories have refused, in all. */
  refused = 0;
  readonly #index: number;
  #session: LinkSession | null = null;
  #seq = 0;

  constructor(index: number, { each, services }: FleetSize, port: number) {
    this.#index = index;
    this.instances = Array.from({ length: each }, (_, i) => {
      const number = index * each + i;
      return registration(`service-${number % services}.internal`, `vm${index}-${i}`, {
        url: `http://127.0.0.${Math.floor(number / services) + 1}:${port}/base`,
      });
    });
  }

  run(replicas: readonly DirectoryAddress[], signal: AbortSignal): Promise<void> {
    const identity = {
      kind: "watson",
      name: `vm${this.#index}`,
      id: `bench-watson-${this.#index}`,
      version: "0",
    } as const;
    const deps = { clock: systemClock, log: noLog, random: Math.random, handler: this };
    return runLink({ replicas, identity, token: null, tls: null, subscribe: null }, deps, signal);
  }

  /** The port of the directory that it is connected to; null while it is to none. */
  get directory(): number | null {
    return this.#session?.replica.port ?? null;
  }

  connected(session: LinkSession): void {
    this.#session = session;
    this.#seq = 1;
    session.send({ type: "register", seq: this.#seq, instances: this.instances });
  }

  disconnected(): void {
    this.#session = null;
    this.registeredMs = null;
    this.lostMs = performance.now();
  }

  message(message: LinkMessage): void {
    if (message.type !== "registered") return;
    this.refused += message.refused.length;
    this.registeredMs ??= performance.now();
  }

  /** Changes what it says of one instance, and says so as soon as a directory listens. */
  change(index: number, fields: Partial<Registration>): void {
    const changed = { ...(this.instances[index] as Registration), ...fields };
    this.instances[index] = changed;
    this.#session?.send({ type: "update", seq: ++this.#seq, instances: [changed], gone: [] });
  }
}

function registration(service: string, name: string, { url }: { readonly url: string }): Registration {
  return {
    service,
    name,
    version: "1.4.2",
    url,
    protocol: "http",
    state: "live",
    reason: null,
    cause: null,
    weight: 100,
    zone: "us-east-1a",
    tags: ["a"],
    proxyPort: null,
    drainMs: 10_000,
  };
}
