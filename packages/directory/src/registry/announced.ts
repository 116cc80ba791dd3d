import { endpointsOf, type Registration } from "@datawire/protocol";

/** Which instances are announced at which address. */
export class Announced {
  /** `HOST:PORT` → the key of an instance, or the keys where there are several: with 250,000 instances, most have one. */
  readonly #at = new Map<string, string | ReadonlySet<string>>();
  /** The addresses with several. */
  readonly #shared = new Set<string>();

  add(key: string, said: Registration): void {
    for (const endpoint of endpointsOf(said)) this.#set(endpoint, new Set(this.#keys(endpoint)).add(key));
  }

  remove(key: string, said: Registration): void {
    for (const endpoint of endpointsOf(said)) {
      const keys = new Set(this.#keys(endpoint));
      keys.delete(key);
      this.#set(endpoint, keys);
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

  #set(endpoint: string, keys: ReadonlySet<string>): void {
    const [first] = keys;
    if (first === undefined) this.#at.delete(endpoint);
    else this.#at.set(endpoint, keys.size === 1 ? first : keys);
    if (keys.size > 1) this.#shared.add(endpoint);
    else this.#shared.delete(endpoint);
  }
}
