import type { Logger } from "@datawire/runtime";
import type { Welcome } from "./link-handler.ts";
import type { SessionEnd } from "./session.ts";

/** Logs what becomes of a link: each change of state once, and nothing while it lasts. */
export interface LinkReport {
  connected(directory: string, welcome: Welcome): void;
  ended(end: SessionEnd): void;
  /** @param reason each address of the round with why it did not do. */
  waiting(reason: string, refused: boolean): void;
}

/** What was logged last: the same is not said again. */
type Said = "nothing" | "connected" | "lost" | "unreachable" | `refused: ${string}`;

/** Makes the report of one link. */
export function createLinkReport(log: Logger): LinkReport {
  let said: Said = "nothing";
  return {
    connected(directory, { version }) {
      said = "connected";
      log.info("Connected to the directory", { directory, version });
    },
    ended({ kind, reason }) {
      log.debug("Link ended", { kind, reason });
      if (said !== "connected" || kind === "refused" || kind === "denied") return;
      said = "lost";
      log.warn("Directory lost, reconnecting", { reason });
    },
    waiting(reason, refused) {
      const now: Said = refused ? `refused: ${reason}` : "unreachable";
      if (said === now || (said === "lost" && !refused)) return;
      said = now;
      if (refused) log.error("Directory refuses this program, asking again from time to time", { reason });
      else log.warn("Directory unreachable, trying on", { reason });
    },
  };
}
