import { endpointsOf, type Registration } from "@datawire/protocol";

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

  /** The other instances at an address of this one. */
  beside(key: string, said: Registration): string[] {
    const found = endpointsOf(said).flatMap((endpoint) => [...this.#keys(endpoint)]);
    return [...new Set(found)].filter((other) => other !== key);
  }

  /** The addresses that several instances are announced at. */
  *shared(): Generator<{ readonly endpoint: string; readonly keys: readonly string[] }> {
    for (const endpoint of this.#shared) yield { endpoint, keys: [...this.#keys(endpoint)] };
  }

  #keys(endpoint: string): Iterable<string> {
    const keys = this.#at.get(endpoint);
    return keys === undefined ? [] : typeof keys === "string" ? [keys] : keys;
  }

  #share(endpoint: string, keys: Set<string>): void {
    this.#at.set(endpoint, keys);
    this.#shared.add(endpoint);
  }
}
