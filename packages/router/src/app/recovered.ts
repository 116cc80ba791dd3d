import { join } from "node:path";
import type { Logger, ProblemBoard } from "@datawire/runtime";
import type { Broker } from "../engine/broker.ts";

/** Where what was found is told. */
export interface RecoveredDeps {
  readonly log: Logger;
  readonly board: Pick<ProblemBoard, "set">;
  readonly logFolder: string;
  readonly tookMs: number;
}

/** Tells what was found in the log at a start. */
export function tellRecovered(broker: Broker, { log, board, logFolder, tookMs }: RecoveredDeps): void {
  const { findings, usage } = broker.log;
  const { damages, cutBytes } = findings;
  for (const { segment, position, bytes, file } of damages) {
    log.error("Damaged part of the log put aside", { segment, position, bytes, file: join(logFolder, file) });
  }
  board.set(
    "damage",
    damages.map(({ segment, bytes, file }) => ({
      subject: `segment ${segment}`,
      message: `${bytes} bytes of the log were damaged; messages in them are lost, and some that were settled in them may come again`,
      severity: "error" as const,
      remedy: `they are in ${join(logFolder, file)}; look at the disk`,
    })),
  );
  const messages = [...broker.kept].reduce((sum, { kept }) => sum + kept.messages, 0);
  if (usage.segments > 0) log.info("Log read", { messages, bytes: usage.bytes, cutBytes, tookMs });
}
