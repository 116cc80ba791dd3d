import type { Clock } from "@datawire/runtime";

/** When a client counts as gone. */
export interface LivenessConfig {
  readonly heartbeatMs: number;
  /** A client that is silent for so long is taken to be gone. */
  readonly leaseMs: number;
}

interface LivenessDeps {
  /** Counts time in which the directory attended to its clients. */
  readonly clock: Clock;
  /** Asks for a sign of life. */
  readonly ping: () => void;
}

/** How long a client has to show that it is alive once that is in doubt. */
const CHALLENGE_MS = 2_000;

/**
 * Whether the other side of a link is alive: any frame from it says so, and pings ask for one. Silence counts only
 * while the directory is listening, not while the connection is paused or the directory is busy.
 */
export class Liveness {
  readonly #config: LivenessConfig;
  readonly #deps: LivenessDeps;
  #heardMs: number;
  #pingedMs: number;
  #listens = true;
  /** Each was asked whether the client is alive, and is answered once. */
  #challenges: ((alive: boolean) => void)[] = [];

  constructor(config: LivenessConfig, deps: LivenessDeps) {
    this.#config = config;
    this.#deps = deps;
    this.#heardMs = deps.clock.monotonicMs();
    this.#pingedMs = this.#heardMs;
  }

  /** Something came, if only an answer to a ping. */
  heard(): void {
    this.#heardMs = this.#deps.clock.monotonicMs();
    this.#answer(true);
  }

  /** Says whether the connection is read. */
  listen(listens: boolean): void {
    this.#listens = listens;
    this.#heardMs = this.#deps.clock.monotonicMs();
  }

  /** Pings when it is time. Returns for how long nothing has come when that is too long, and null otherwise. */
  tick(nowMs: number): number | null {
    const silentMs = nowMs - this.#heardMs;
    if (this.#listens && silentMs >= this.#config.leaseMs) return silentMs;
    if (nowMs - this.#pingedMs >= this.#config.heartbeatMs) {
      this.#pingedMs = nowMs;
      this.#deps.ping();
    }
    return null;
  }

  /**
   * Asks whether the client is alive.
   * @param giveUp called when it gives no sign of life in time, before the answer is known to be no.
   */
  challenge(giveUp: () => void): Promise<boolean> {
    const { promise, resolve } = Promise.withResolvers<boolean>();
    const cancel = this.#deps.clock.setTimer(CHALLENGE_MS, giveUp);
    this.#challenges.push((alive) => {
      cancel();
      resolve(alive);
    });
    this.#deps.ping();
    return promise;
  }

  /** The link has ended: whoever asks is told that the client is not alive. */
  end(): void {
    this.#answer(false);
  }

  #answer(alive: boolean): void {
    const challenges = this.#challenges;
    this.#challenges = [];
    for (const answer of challenges) answer(alive);
  }
}
