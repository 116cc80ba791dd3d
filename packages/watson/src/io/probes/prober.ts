import type { LookupFunction } from "node:net";
import type { Probe } from "../../core/belief.ts";

/** Something that looks once whether an instance is alive. */
export interface Prober {
  /** Never rejects. When the signal aborts it lets go of what it holds, and its result is of no interest. */
  probe(signal: AbortSignal): Promise<Probe>;
  /** Lets go of what it keeps between probes. */
  close(): void;
}

export interface ProberDeps {
  readonly lookup: LookupFunction;
  /** Authorities in PEM that a service may be certified by, beside those of the system; null for none. */
  readonly ca: string | null;
  /** What the environment of checked programs is made of. */
  readonly env: Readonly<Record<string, string | undefined>>;
}
