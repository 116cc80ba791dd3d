import type { Breaker } from "./breaker.ts";
import type { Json } from "./json.ts";

/** Where a service can be reached, as `resolve` gives it. */
export interface Node {
  /** The name of the instance, unique within its service; `default` for the default URL of a service. */
  readonly id: string;
  readonly service: string;
  readonly version: string | null;
  /** Its URL. */
  readonly address: string;
  /** What else its registration says of it: `zone`, `tags`, `weight`. */
  readonly properties: Readonly<Record<string, Json>>;
  readonly environment: string;
}

/** A node with the breaker of its address. */
export interface Choice {
  readonly node: Node;
  readonly breaker: Breaker;
}
