import { instanceKey, isUsable, type TableChange } from "@datawire/protocol";
import type { Clock } from "@datawire/runtime";
import { ENDED_MAX, ENDED_MS } from "./announcements.ts";
import type { World } from "./world.ts";

/**
 * What has ended in a table of late, from the start of the directory on: the first original that connects may have known
 * it from before a restart, or from another directory on the same store, and was away when it ended.
 */
export class RecentlyEnded {
  readonly #clock: Pick<Clock, "monotonicMs">;
  /** `SERVICE@INSTANCE` → when; the last one at the end. */
  readonly #ended = new Map<string, number>();
  readonly #stop: () => void;

  constructor(world: World, clock: Pick<Clock, "monotonicMs">) {
    this.#clock = clock;
    this.#stop = world.follow((change) => {
      if (change !== null) this.#take(change);
    });
  }

  /** Keys of what has ended within the last hour, with when, the oldest first. */
  list(): [key: string, atMs: number][] {
    const sinceMs = this.#clock.monotonicMs() - ENDED_MS;
    return [...this.#ended].filter(([, atMs]) => atMs > sinceMs);
  }

  /** Follows the table no more. */
  end(): void {
    this.#stop();
  }

  #take({ instances, gone }: TableChange): void {
    for (const key of gone.instances) this.#note(key);
    // What a route takes from originals is seen when the first one comes.
    for (const instance of instances) {
      if (isUsable(instance)) this.#ended.delete(instanceKey(instance));
      else this.#note(instanceKey(instance));
    }
  }

  #note(key: string): void {
    this.#ended.delete(key);
    this.#ended.set(key, this.#clock.monotonicMs());
    for (const oldest of this.#ended.keys()) {
      if (this.#ended.size <= ENDED_MAX) break;
      this.#ended.delete(oldest);
    }
  }
}
