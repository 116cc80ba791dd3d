import type { ServerTls } from "./tls-files.ts";

/** What ports over TLS show: a certificate that comes later, perhaps, and is replaced without a restart. */
export class ShownTls {
  /** The authorities of clients' certificates; null where none are asked for. */
  readonly clientCa: string | null;
  readonly #shows = new Set<(tls: ServerTls) => void>();
  #current: ServerTls | null;

  /** @param current null for one that is still to come. */
  constructor(current: ServerTls | null, clientCa: string | null) {
    this.#current = current;
    this.clientCa = clientCa;
  }

  get current(): ServerTls | null {
    return this.#current;
  }

  /** Calls `show` with each one from now on. */
  onChange(show: (tls: ServerTls) => void): void {
    this.#shows.add(show);
  }

  /** Has this one shown to whoever connects from now on. */
  replace({ cert, key }: Pick<ServerTls, "cert" | "key">): void {
    if (cert === this.#current?.cert && key === this.#current.key) return;
    this.#current = { cert, key, clientCa: this.clientCa };
    for (const show of this.#shows) show(this.#current);
  }
}
