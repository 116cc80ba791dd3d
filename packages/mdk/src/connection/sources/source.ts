import type { EnvironmentSource } from "../../resolve/resolver.ts";
import type { MdkError } from "../../session/mdk-error.ts";

/** Where the table of an environment comes from. */
export interface Source extends EnvironmentSource {
  /** Why nobody will ever give it one, unless somebody changes something; null while that is open. */
  denial(): MdkError | null;
  /** Begins to follow; what comes is told by `SourceEvents`. */
  start(): void;
  /** Ends it; all that it opened is closed then. */
  stop(): Promise<void>;
}

/** What a source of nodes tells. */
export interface SourceEvents {
  /** The table says something new of these services. */
  changed(services: Iterable<string>): void;
  /** It came to be known that there is a table, or that there is none to be had. */
  settled(): void;
}
