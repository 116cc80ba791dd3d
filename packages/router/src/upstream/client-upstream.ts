import type { Receiver, Sender } from "@datawire/amqp";
import { type Clock, backoff } from "@datawire/runtime";
import { type FarClient, FarConnection } from "./far-connection.ts";
import type { ThroughLink } from "./through-link.ts";
import type { Upstream } from "./upstream.ts";

/** A connection without links is ended after this. */
const IDLE_MS = 10_000;
/** So much may wait for a client until nothing more is read for it. */
const HELD_BYTES_MAX = 2 ** 20;
const BACKOFF = { baseMs: 100, capMs: 5_000 } as const;
/** A connection that has lasted so long was a good one. */
const GOOD_MS = 5_000;

type Through = ThroughLink<Sender> | ThroughLink<Receiver>;

/** What it takes to talk to an upstream for a client. */
export interface ClientUpstreamDeps {
  readonly clock: Clock;
  readonly random: () => number;
  readonly who: FarClient;
}

/**
 * A connection to an upstream for one client alone: it exists while the client has links to it, and is made again
 * whenever it is lost.
 */
export class ClientUpstream {
  readonly #upstream: Upstream;
  readonly #deps: ClientUpstreamDeps;
  readonly #links = new Set<Through>();
  readonly #stop = new AbortController();
  #far: FarConnection | null = null;
  #runs = false;
  #heldBytes = 0;
  #cancelIdle: (() => void) | null = null;

  constructor(upstream: Upstream, deps: ClientUpstreamDeps) {
    this.#upstream = upstream;
    this.#deps = deps;
  }

  add(link: Through): void {
    this.#cancelIdle?.();
    this.#cancelIdle = null;
    this.#links.add(link);
    if (this.#far !== null) return link.attach(this.#far);
    // Everybody knows already that nobody answers.
    if (this.#upstream.away !== null) link.unreachable();
    if (this.#runs) return;
    this.#runs = true;
    void this.#run().finally(() => (this.#runs = false));
  }

  over(link: Through): void {
    this.#links.delete(link);
    if (this.#links.size > 0 || this.#stop.signal.aborted) return;
    this.#cancelIdle?.();
    this.#cancelIdle = this.#deps.clock.setTimer(IDLE_MS, () => this.#far?.close());
  }

  /** So many more bytes wait for the client, or fewer. */
  held(bytes: number): void {
    const wasMany = this.#heldBytes > HELD_BYTES_MAX;
    this.#heldBytes += bytes;
    const isMany = this.#heldBytes > HELD_BYTES_MAX;
    if (isMany === wasMany) return;
    if (isMany) this.#far?.pause();
    else this.#far?.resume();
  }

  /** Ends the connection, to make it anew. */
  restart(): void {
    this.#far?.close();
  }

  /** The client is gone. */
  close(): void {
    this.#stop.abort();
    this.#cancelIdle?.();
    this.#far?.close();
  }

  async #run(): Promise<void> {
    const { clock, random, who } = this.#deps;
    const { signal } = this.#stop;
    const first = backoff({ ...BACKOFF, random });
    let wait = first;
    const open = () => FarConnection.open({ upstream: this.#upstream.settings, who, clock, signal });
    while (!signal.aborted && this.#links.size > 0) {
      const far = await this.#upstream.attempt(open, signal);
      if (far === null) {
        for (const link of this.#links) link.unreachable();
        continue;
      }
      if (signal.aborted) return far.close();
      const openedMs = clock.monotonicMs();
      this.#far = far;
      for (const link of this.#links) link.attach(far);
      await far.gone;
      this.#far = null;
      if (clock.monotonicMs() - openedMs > GOOD_MS) wait = first;
      const { delayMs, backoff: next } = wait.next();
      wait = next;
      await clock.sleep(delayMs, signal);
    }
  }
}
