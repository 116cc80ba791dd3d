import type { Chance, Clock, Logger } from "@datawire/runtime";
import type { SharedNews } from "../../registry/peer-updates.ts";
import type { Unconfirmed, WatsonChange } from "../../registry/dirty-set.ts";
import { StoreError } from "../contract.ts";
import type { MissingReplica, Replica, PeerListener, PeerReplication } from "../replication.ts";
import { EtcdError } from "./etcd-error.ts";
import type { Following } from "./following.ts";
import type { Keys } from "./keys.ts";
import type { Challenge, ReadEntries } from "./news.ts";
import type { Presence } from "./presence.ts";
import { watsonTransactions } from "./watson-swaps.ts";

interface EtcdReplicationConfig {
  readonly replica: Replica;
  /** How long it takes at the most until it is known whether a directory is there. */
  readonly presenceMs: number;
}

interface EtcdReplicationDeps {
  readonly following: Following;
  readonly keys: Keys;
  readonly presence: Presence;
  readonly clock: Clock;
  readonly log: Logger;
  readonly chance: Pick<Chance, "id">;
  readonly start: () => void;
}

/** Watsons whose changes are written at once; etcd syncs what comes at the same time together. */
const WRITERS = 16;
/** How long a directory has to say that it has a Watson, before another one believes that it has not. */
const CHALLENGE_MS = 400;
/** A directory that does not come back was taken away for good. */
const MISSED_MS = 3_600_000;
/** Every start on a free port is another address. */
const MISSED_MAX = 20;

/** The registrations that directories share over etcd. */
export class EtcdReplication implements PeerReplication {
  readonly kind = "peers";
  readonly #config: EtcdReplicationConfig;
  readonly #deps: EtcdReplicationDeps;
  readonly #replicas = new Map<string, Replica>();
  /** By address, the one that went last at the end. */
  readonly #gone = new Map<string, MissingReplica>();
  /** By nonce. */
  readonly #asked = new Map<string, (alive: boolean) => void>();
  /** Directories that did not answer, until when they are not asked. */
  readonly #silent = new Map<string, number>();
  #listener: PeerListener | null = null;
  #waiting: SharedNews[] = [];

  constructor(config: EtcdReplicationConfig, deps: EtcdReplicationDeps) {
    this.#config = config;
    this.#deps = deps;
  }

  get replica(): string {
    return this.#config.replica.id;
  }

  get alone(): boolean {
    const sinceMs = this.#deps.clock.nowMs() - this.#config.presenceMs;
    return [...this.#replicas.values()].every(({ startedMs }) => startedMs > sinceMs);
  }

  /** Takes what is there at the start. The registrations are given to whoever loads the store. */
  load(read: ReadEntries): void {
    this.#know(read);
    this.#waiting = [{ replicas: read.replicas, sightings: read.sightings, registrations: [] }];
  }

  follow(listener: PeerListener): void {
    this.#listener = listener;
    for (const news of this.#waiting) listener.news(news);
    this.#waiting = [];
    this.#deps.start();
  }

  /** Takes what others have written. */
  take(read: ReadEntries): void {
    this.#know(read);
    const { replicas, sightings, registrations } = read;
    if (replicas.length + sightings.length + registrations.length > 0) {
      const news = { replicas, sightings, registrations };
      if (this.#listener === null) this.#waiting.push(news);
      else this.#listener.news(news);
    }
    for (const { value, revision } of read.challenges) this.#takeChallenge(value, revision);
  }

  async save(changes: readonly WatsonChange[]): Promise<readonly WatsonChange[]> {
    const { keys, following, log } = this.#deps;
    // Made before anything is awaited: they hold only for what is known now.
    const work = changes.map((change) => ({
      change,
      transactions: watsonTransactions(change, { keys, revision: (key) => following.revisionOf(key) }),
    }));
    const failed: WatsonChange[] = [];
    let next = 0;
    let said: string | null = null;
    const write = async (): Promise<void> => {
      for (let one = work[next++]; one !== undefined; one = work[next++]) {
        const { change, transactions } = one;
        try {
          if (!(await this.#write(keys.of("watsons", change.watson), transactions))) failed.push(change);
        } catch (error) {
          if (!(error instanceof EtcdError)) throw error;
          failed.push(change);
          said ??= error.message;
        }
      }
    };
    await Promise.all(Array.from({ length: Math.min(WRITERS, work.length) }, write));
    if (said !== null) log.warn("Registrations not shared yet", { watsons: failed.length, reason: said });
    return failed;
  }

  async recall({ instances, watsons }: Unconfirmed): Promise<void> {
    const { keys, following } = this.#deps;
    try {
      await following.recall([
        ...watsons.map((id) => keys.of("watsons", id)),
        ...instances.map((key) => keys.of("instances", key)),
      ]);
    } catch (error) {
      if (!(error instanceof EtcdError)) throw error;
      throw new StoreError("unavailable", `Cannot read registrations: ${error.message}`, { cause: error });
    }
  }

  async challenge(watson: string, replica: string): Promise<boolean> {
    const { keys, following, presence, clock, chance } = this.#deps;
    if ((this.#silent.get(replica) ?? 0) > clock.monotonicMs()) return false;
    const key = keys.of("challenges", watson);
    const nonce = chance.id();
    const question: Challenge = { watson, by: this.replica, of: replica, nonce, alive: null };
    const { promise, resolve } = Promise.withResolvers<boolean>();
    const cancel = clock.setTimer(CHALLENGE_MS, () => {
      this.#silent.set(replica, clock.monotonicMs() + this.#config.presenceMs);
      resolve(false);
    });
    this.#asked.set(nonce, resolve);
    try {
      const swap = { key, value: JSON.stringify(question), expected: following.revisionOf(key) };
      await following.swap([presence.lease === null ? swap : { ...swap, lease: presence.lease }]);
      return await promise;
    } catch (error) {
      if (!(error instanceof EtcdError)) throw error;
      return false; // without etcd nobody can say; the Watson is here
    } finally {
      cancel();
      this.#asked.delete(nonce);
    }
  }

  replicas(): readonly Replica[] {
    return [this.#config.replica, ...this.#replicas.values()];
  }

  missing(): readonly MissingReplica[] {
    const present = new Set(this.replicas().map(({ address }) => address));
    const sinceMs = this.#deps.clock.nowMs() - MISSED_MS;
    return [...this.#gone.values()].filter((one) => one.sinceMs > sinceMs && !present.has(one.address));
  }

  #know({ present }: ReadEntries): void {
    for (const { id, value } of present) {
      if (id === this.replica) continue;
      if (value !== null) this.#replicas.set(id, value);
      else this.#miss(id);
    }
  }

  #miss(id: string): void {
    const address = this.#replicas.get(id)?.address;
    if (address === undefined) return;
    this.#replicas.delete(id);
    this.#gone.delete(address);
    this.#gone.set(address, { address, sinceMs: this.#deps.clock.nowMs() });
    for (const oldest of this.#gone.keys()) if (this.#gone.size > MISSED_MAX) this.#gone.delete(oldest);
  }

  /** Returns whether all was written. */
  async #write(watsonKey: string, transactions: ReturnType<typeof watsonTransactions>): Promise<boolean> {
    let claimed: number | null = null;
    for (const { swaps, guards } of transactions) {
      // What guards the later ones is what the first one wrote.
      const own = guards.map((guard) =>
        guard.key === watsonKey && claimed !== null ? { ...guard, expected: claimed } : guard,
      );
      const result = await this.#deps.following.swap(swaps, own);
      if (result.state === "refused") return false;
      if (swaps.some(({ key }) => key === watsonKey)) claimed = result.revision;
    }
    return true;
  }

  #takeChallenge(challenge: Challenge, revision: number): void {
    if (challenge.by === this.replica) {
      if (challenge.alive !== null) this.#asked.get(challenge.nonce)?.(challenge.alive);
      return;
    }
    if (challenge.of !== this.replica || challenge.alive !== null || this.#listener === null) return;
    this.#listener
      .challenged(challenge.watson)
      .then((alive) => this.#answer({ ...challenge, alive }, revision))
      .catch((error: unknown) => this.#deps.log.error("Challenge not answered", { watson: challenge.watson, error }));
  }

  async #answer(answer: Challenge, revision: number): Promise<void> {
    const { keys, following, presence, log } = this.#deps;
    const swap = { key: keys.of("challenges", answer.watson), value: JSON.stringify(answer), expected: revision };
    try {
      await following.swap([presence.lease === null ? swap : { ...swap, lease: presence.lease }]);
    } catch (error) {
      if (!(error instanceof EtcdError)) throw error;
      log.debug("Challenge not answered", { watson: answer.watson, reason: error.message });
    }
  }
}
