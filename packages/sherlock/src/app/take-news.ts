import type { CatalogFollower, CatalogUpdate } from "@datawire/link";
import { describeError, type Logger, type ProblemBoard } from "@datawire/runtime";
import type { Planning } from "../inputs/planning.ts";
import type { Resolver } from "../inputs/resolver.ts";
import { hostsOf } from "../inputs/table-hosts.ts";

/** Does something for news of the directory: what goes wrong with it ends nothing, and is told. */
export type Attempt = (work: Promise<void>) => void;

/** Attempts whose failures are logged, and shown until news can be followed again. */
export function createAttempt({ log, board }: { readonly log: Logger; readonly board: ProblemBoard }): Attempt {
  return (work) => {
    work.catch((error: unknown) => {
      log.error("News of the directory cannot be followed", { error });
      board.set("news", [
        {
          subject: "directory",
          message: `its last news cannot be followed: ${describeError(error)}`,
          severity: "error",
          remedy: "if the directory is of another version than this Sherlock, bring both to the same one",
        },
      ]);
    });
  };
}

interface NewsDeps {
  readonly follower: Pick<CatalogFollower, "table">;
  readonly planning: Pick<Planning, "announce">;
  readonly resolver: Pick<Resolver, "prepare">;
  readonly board: ProblemBoard;
  /** Has HAProxy follow what has come, once each name in it has been asked for. */
  readonly follow: (update: CatalogUpdate) => void;
}

/**
 * Takes what has come into the table. What is planned before the names in it are resolved, which may take a while, is of
 * the table before.
 */
export async function takeNews(
  update: CatalogUpdate,
  { follower, planning, resolver, board, follow }: NewsDeps,
): Promise<void> {
  const forgotten = planning.announce();
  try {
    await resolver.prepare(hostsOf(follower.table, update.services));
  } finally {
    forgotten();
  }
  follow(update);
  board.set("news", []);
}
