import { ENDPOINT_INSTANCES_MAX, endpointsOf, type Registration } from "@datawire/protocol";

/** Which instances are announced at which address. */
export class Announced {
  /** `HOST:PORT` → the key of an instance, or the keys where there are several: with 250,000 instances, most have one. */
  readonly #at = new Map<string, string | Set<string>>();
  /** The addresses with several. */
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

  /** The other instances at an address of this one; none where there are so many that they tell nothing of it. */
  beside(key: string, said: Registration): string[] {
    return this.#others(key, said, ENDPOINT_INSTANCES_MAX);
  }

  /** Those of whom `beside` may give another answer since this one came, went or changed. */
  concerned(key: string, said: Registration): string[] {
    return this.#others(key, said, ENDPOINT_INSTANCES_MAX + 1);
  }

  /** The addresses that several instances are announced at, and not so many that they tell nothing of each other. */
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
