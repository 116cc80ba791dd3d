import type { SessionRegistry } from "../clients/session-registry.ts";

/** The environments of a tenant, as a link needs them. */
export interface LinkEnvironments {
  /** The table of an environment; null for one that is not there. */
  find(name: string): Promise<SessionRegistry | null>;
  /** What is known of an environment that is not there. */
  nothing(): Promise<SessionRegistry>;
  /** Makes an environment where it is not there. */
  make(name: string): Promise<SessionRegistry>;
  /** Calls `made` when an environment is opened from now on; the function returned ends that. */
  whenOpened(name: string, made: (sessions: SessionRegistry) => void): () => void;
}

/**
 * Which environment, and so which table, a link belongs to. To name an environment does not create it, as names come
 * from outside: a client that names one that does not exist follows an empty table, and is moved once somebody has
 * registered something in it.
 */
export class Placement {
  readonly #environments: LinkEnvironments;
  readonly #name: string;
  #stop: (() => void) | null = null;

  constructor(environments: LinkEnvironments, name: string) {
    this.#environments = environments;
    this.#name = name;
  }

  /** Whether the environment is not there. */
  get isWaiting(): boolean {
    return this.#stop !== null;
  }

  /**
   * The table to begin with.
   * @param moved called with another one once the environment is there.
   */
  async enter(moved: (sessions: SessionRegistry) => void): Promise<SessionRegistry> {
    const { find, nothing, whenOpened } = this.#environments;
    // Before the look: it may be made in between.
    let opened: SessionRegistry | null = null;
    let entered = false;
    this.#stop = whenOpened(this.#name, (sessions) => {
      this.end();
      opened = sessions;
      if (entered) moved(sessions);
    });
    try {
      const found = await find(this.#name);
      if (found !== null) this.end();
      const empty = found === null ? await nothing() : null;
      entered = true;
      return opened ?? found ?? (empty as SessionRegistry);
    } catch (error) {
      this.end();
      throw error;
    }
  }

  /** Makes the environment where it is not there; who waits for it is moved. */
  async make(): Promise<void> {
    await this.#environments.make(this.#name);
  }

  end(): void {
    this.#stop?.();
    this.#stop = null;
  }
}
