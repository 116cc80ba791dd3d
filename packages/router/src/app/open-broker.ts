import { randomBytes } from "node:crypto";
import { join } from "node:path";
import { type DaemonContext, describeError, type Logger, makePrivateFolder, RecentProblems } from "@datawire/runtime";
import type { Refusals } from "../config/refusals.ts";
import type { RouterSettings } from "../config/settings.ts";
import { Broker } from "../engine/broker.ts";
import { createFileDisk } from "../disk/file-disk.ts";
import { UnknownRecord } from "../log/record.ts";
import { logFolderOf } from "../processes/messages.ts";
import type { Allotments } from "../routing/allotments.ts";
import type { ServiceLinks } from "../services/service-links.ts";
import { annotate } from "../wire/annotate.ts";
import { lockFolder, lockLater } from "../processes/lock.ts";

/** Whom a broker asks where messages go. */
export interface OpenBrokerDeps {
  readonly services: ServiceLinks;
  readonly allotments: Allotments;
  readonly refusals: Refusals;
}

/** The broker of one process, with the folder of its log. */
export interface OpenedBroker {
  readonly broker: Broker;
  readonly logFolder: string;
  /** Gives the folder back, once the broker is closed. */
  readonly unlock: () => Promise<void>;
}

type BoardAndLog = Pick<DaemonContext<RouterSettings>, "board" | "log">;

/**
 * Locks the log folder of a process, reads the log, and tells what was found in it.
 * @param index which process of the router this is; null where it is the only one.
 * @throws Error where another router has the folder, or the log cannot be opened.
 */
export async function openBroker(
  context: DaemonContext<RouterSettings>,
  index: number | null,
  { services, allotments, refusals }: OpenBrokerDeps,
): Promise<OpenedBroker> {
  const { settings, log, clock, board, signal } = context;
  const recent = new RecentProblems("recent", { board, clock, signal });
  const logFolder = join(settings.dataDir, logFolderOf(index ?? 0));
  await makePrivateFolder(settings.dataDir);
  await makePrivateFolder(logFolder);
  // The process that started several has locked the whole data folder.
  const unlock = index === null ? await lockFolder(settings.dataDir) : await lockLater(logFolder, clock);
  const startedMs = clock.monotonicMs();
  const opening = Broker.open(
    { rules: settings.rules, log: settings.log, addressesMax: settings.limits.addresses },
    {
      disk: createFileDisk(logFolder),
      clock,
      random32: () => randomBytes(4).readUInt32LE(),
      later: setImmediate,
      annotate,
      ...(settings.directories.length > 0 && { allot: allotments.allot }),
      crowded: () => refusals.count("addresses"),
      isService: (name) => services.isService(name),
      serviceMade: () => void setImmediate(() => services.reconcile()),
      onTrouble: (error) => tellTrouble(error, logFolder, context),
      onFault(subject, error) {
        const message = describeError(error);
        log.warn("The log cannot be used as it should", { subject, error: message });
        recent.note({ subject, message });
      },
    },
  );
  const broker = await opening.catch((error: unknown) => {
    throw error instanceof UnknownRecord ? refusal(logFolder, error) : error;
  });
  const tookMs = Math.round(clock.monotonicMs() - startedMs);
  tellDamages(broker, logFolder, context);
  tellRead(broker, tookMs, log);
  return { broker, logFolder, unlock };
}

function refusal(logFolder: string, { message }: UnknownRecord): Error {
  return new Error(
    `Cannot use the log ${logFolder}: ${message}: another version wrote it; nothing of it is lost. Start that version, or a newer one, or give this one another --data-dir`,
  );
}

/** Tells that the log can be written no longer, and why; or, with null, that it is written again. */
function tellTrouble(error: unknown, logFolder: string, { board, log }: BoardAndLog): void {
  if (error === null) {
    log.info("The log is written again");
    return board.set("log", []);
  }
  const message = `no message is accepted: ${describeError(error)}`;
  if (board.list().some((problem) => problem.subject === "log" && problem.message === message)) return;
  log.error("The log cannot be written, accepting nothing", { folder: logFolder, error: describeError(error) });
  const remedy = `free some space below ${logFolder}, or mend the disk: what waits is accepted then`;
  board.set("log", [{ subject: "log", message, severity: "error", remedy }]);
}

/** Tells which parts of the log were damaged. */
function tellDamages({ log: { findings } }: Broker, logFolder: string, { board, log }: BoardAndLog): void {
  for (const { segment, position, bytes, file } of findings.damages) {
    log.error("Damaged part of the log put aside", { segment, position, bytes, file: join(logFolder, file) });
  }
  board.set(
    "damage",
    findings.damages.map(({ segment, bytes, file }) => ({
      subject: `segment ${segment}`,
      message: `${bytes} bytes of the log were damaged; messages in them are lost, and some that were settled in them may come again`,
      severity: "error" as const,
      remedy: `they are in ${join(logFolder, file)}; look at the disk`,
    })),
  );
}

function tellRead({ kept, log: { findings, usage } }: Broker, tookMs: number, log: Logger): void {
  if (usage.segments === 0) return;
  const messages = [...kept].reduce((sum, address) => sum + address.kept.messages, 0);
  log.info("Log read", { messages, bytes: usage.bytes, cutBytes: findings.cutBytes, tookMs });
}
