import { answersAlike, ENDPOINT_INSTANCES_MAX, endpointsOf, type Registration } from "@datawire/protocol";
import type { Replacement } from "./shown-state.ts";
import type { Watson } from "./watson.ts";

/** Which instances are announced at which address. */
export class Announced {
  /** `HOST:PORT` → the key of an instance, or the keys where there are several: with 250,000 instances, most have one. */
  readonly #at = new Map<string, string | Set<string>>();
  /** The addresses at which several instances are announced. */
  readonly #shared = new Set<string>();

  add(key: string, said: Registration): void {
    for (const endpoint of endpointsOf(said)) {
      const keys = this.#at.get(endpoint);
      if (keys === undefined || keys === key) this.#at.set(endpoint, key);
      else if (typeof keys === "string") this.#share(endpoint, new Set([keys, key]));
      else keys.add(key);
    }
  }

  remove(key: string, said: Registration): void {
    for (const endpoint of endpointsOf(said)) {
      const keys = this.#at.get(endpoint);
      if (keys === key) this.#at.delete(endpoint);
      if (keys === undefined || typeof keys === "string" || !keys.delete(key) || keys.size > 1) continue;
      const [last = ""] = keys;
      this.#at.set(endpoint, last);
      this.#shared.delete(endpoint);
    }
  }

  /** The other instances at the addresses of this one; none where there are so many that they say nothing about it. */
  beside(key: string, said: Registration): string[] {
    return this.#others(key, said, ENDPOINT_INSTANCES_MAX);
  }

  /** The instances for which `beside` may have another result since this one was added, removed or changed. */
  concerned(key: string, said: Registration): string[] {
    return this.#others(key, said, ENDPOINT_INSTANCES_MAX + 1);
  }

  /** The addresses at which several instances are announced, but not so many that they say nothing about each other. */
  *shared(): Generator<{ readonly endpoint: string; readonly keys: readonly string[] }> {
    for (const endpoint of this.#shared) {
      const keys = this.#keys(endpoint);
      if (keys.size <= ENDPOINT_INSTANCES_MAX) yield { endpoint, keys: [...keys] };
    }
  }

  #others(key: string, said: Registration, sizeMax: number): string[] {
    const found = endpointsOf(said).flatMap((endpoint) => {
      const keys = this.#keys(endpoint);
      const size = keys.has(key) ? keys.size : keys.size + 1;
      return size > sizeMax ? [] : [...keys];
    });
    return [...new Set(found)].filter((other) => other !== key);
  }

  #keys(endpoint: string): ReadonlySet<string> {
    const keys = this.#at.get(endpoint);
    return typeof keys === "object" ? keys : new Set(keys === undefined ? [] : [keys]);
  }

  #share(endpoint: string, keys: Set<string>): void {
    this.#at.set(endpoint, keys);
    this.#shared.add(endpoint);
  }
}

/** The Watson that holds an instance; null when nobody does. */
type OwnerOf = (key: string) => Watson | null;

/** An address, and who announces what there. */
export interface Contested {
  readonly endpoint: string;
  /** Keys `SERVICE@INSTANCE`, and the names of their Watsons. */
  readonly claims: readonly { readonly key: string; readonly watson: string }[];
}

/**
 * What another Watson has announced at the address of a lost instance, live or down, since the instance's own Watson
 * was last seen: it is newer evidence than what that one said. What a connected Watson says is always newer.
 * @param beside the keys of the other instances at its address.
 */
export function replacementOf(
  { watson: lost, said }: { readonly watson: Watson; readonly said: Registration },
  beside: readonly string[],
  ownerOf: OwnerOf,
): Replacement | null {
  for (const key of beside) {
    const watson = ownerOf(key);
    const held = watson?.held.get(key);
    if (watson === null || held === undefined || watson === lost || !answersAlike(said, held.said)) continue;
    if (watson.location.state === "lost" && held.saidSinceMs <= lost.sinceMs) continue;
    const sinceMs = Math.max(lost.sinceMs, held.saidSinceMs);
    return { key, watson: watson.identity.name, sinceMs };
  }
  return null;
}

/** Addresses at which connected Watsons announce different services, of which only one can be right. */
export function* contestedOf(
  shared: Iterable<{ readonly endpoint: string; readonly keys: readonly string[] }>,
  ownerOf: OwnerOf,
): Generator<Contested> {
  for (const { endpoint, keys } of shared) {
    const seen = keys.flatMap((key) => {
      const watson = ownerOf(key);
      const said = watson?.held.get(key)?.said;
      return watson === null || said === undefined || watson.location.state === "lost" ? [] : [{ key, watson, said }];
    });
    const claims = seen.filter((one) =>
      seen.some(
        (other) =>
          other.watson !== one.watson && other.said.service !== one.said.service && answersAlike(one.said, other.said),
      ),
    );
    if (claims.length === 0) continue;
    yield { endpoint, claims: claims.map(({ key, watson }) => ({ key, watson: watson.identity.name })) };
  }
}
