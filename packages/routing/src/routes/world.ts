import type { RouteTable } from "@datawire/protocol";
import type { CatalogReader } from "@datawire/catalog";

/** What the route commands need to know of the world in which they are given. */
export interface RouteWorld {
  readonly table: CatalogReader & {
    routeTable(key: string): RouteTable | null;
    routeTables(): Iterable<RouteTable>;
  };
  /** Whether a Sherlock or a library of that name was seen in the last 30 days. */
  isKnownCaller(name: string): boolean;
  /** The authorities under which addresses may name this directory. */
  readonly directories: readonly string[];
  readonly nowMs: number;
  /** The `order` of the next route to be made; higher than that of any before. */
  readonly nextOrder: number;
}

/** What a command makes of the routes. Nothing has changed yet: the caller stores it, or shows it for `--dry-run`. */
export interface RouteChange {
  /** The table that the command is about, whether or not it still exists afterwards. */
  readonly caller: string;
  readonly service: string;
  /** The table afterwards; null when its last route has gone. */
  readonly after: RouteTable | null;
  /** What the user should know although nothing is wrong. */
  readonly notes: readonly string[];
}
