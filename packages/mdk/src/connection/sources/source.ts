import type { EnvironmentSource } from "../../resolve/resolver.ts";
import type { MdkError } from "../../session/mdk-error.ts";

/** Where the table of an environment comes from. */
export interface Source extends EnvironmentSource {
  /** Why there will be no table until an operator changes something, such as a token; null while one may still come. */
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
  /** The first table has come, or the directory has refused this program: there is nothing to wait for. */
  settled(): void;
}
