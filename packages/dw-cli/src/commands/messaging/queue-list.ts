import { formatDuration } from "@datawire/protocol";
import { cell, type Style } from "../../core/text-table.ts";
import { flag, type Input } from "../../context/dw.ts";
import type { Local, RunLocal } from "../../grammar/command.ts";
import { manage } from "./open-router.ts";

/** One address, as the router tells of it. */
interface QueueView {
  readonly address: string;
  readonly kind: string;
  readonly state: "moving" | "idle" | "stalled" | "full";
  readonly reason: string | null;
  readonly messages: number;
  readonly unsettled: number;
  readonly oldestMs: number | null;
  readonly senders: number;
  readonly consumers: number;
  readonly inPerS: number;
  readonly outPerS: number;
  readonly dead: number;
}

/** Every address with what waits there, those that do not move first. */
export const run: RunLocal = (local, input) => list(local, input, "queue-list");

/** The topics alone. */
export const topics: RunLocal = (local, input) => list(local, input, "topic-list");

async function list(local: Local, input: Input, operation: string): Promise<void> {
  const queues = (await manage(local, input, operation)) as readonly QueueView[];
  if (flag(input, "json")) return local.output.json(queues);
  if (queues.length === 0)
    return local.output.note(
      `the router has no ${operation === "topic-list" ? "topic" : "address"} yet: they are made on first use`,
    );
  const right = { align: "right" } as const;
  local.output.table({
    columns: [
      { title: "ADDRESS", shrink: 1 },
      { title: "KIND" },
      { title: "STATE" },
      { title: "MESSAGES", ...right },
      { title: "UNSETTLED", ...right },
      { title: "OLDEST", ...right },
      { title: "IN/S", ...right },
      { title: "OUT/S", ...right },
      { title: "SENDERS", ...right },
      { title: "CONSUMERS", ...right },
      { title: "DEAD", ...right },
    ],
    rows: queues.map((queue) => [
      queue.address,
      queue.kind,
      cell(queue.reason === null ? queue.state : `${queue.state}: ${queue.reason}`, STYLES[queue.state]),
      String(queue.messages),
      String(queue.unsettled),
      queue.oldestMs === null ? "-" : formatDuration(Math.floor(queue.oldestMs / 1_000) * 1_000),
      String(queue.inPerS),
      String(queue.outPerS),
      String(queue.senders),
      String(queue.consumers),
      String(queue.dead),
    ]),
  });
}

const STYLES: Readonly<Record<QueueView["state"], Style>> = {
  moving: "good",
  idle: "plain",
  stalled: "warning",
  full: "bad",
};
