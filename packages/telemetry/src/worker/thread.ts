import { constants, getPriority, setPriority } from "node:os";
import { parentPort, workerData } from "node:worker_threads";
import { Keeper } from "./keeper.ts";
import type { Answered, Asked, FromThread, ThreadStart, ToThread } from "./messages.ts";

const port = parentPort;
if (port === null) throw new Error("Cannot run: this is the thread of a store of traces, and no program");

/**
 * The main thread has the links of agents, and is woken by this one with each answer, on the core where this one works: it
 * goes first. A third of its weight, and not less, so that traces are kept on a machine that is never idle too.
 */
const NICENESS = 5;
// On Linux each thread has a priority of its own, and 0 is the thread that asks (setpriority(2), "C library/kernel
// differences"); elsewhere it would be the whole process.
if (process.platform === "linux") {
  try {
    setPriority(Math.min(getPriority() + NICENESS, constants.priority.PRIORITY_LOW));
  } catch {
    // A sandbox may refuse it: then it is as important as the others.
  }
}

const tell = (message: FromThread, transfer: readonly ArrayBuffer[] = []): void => port.postMessage(message, transfer);
const keeper = new Keeper(workerData as ThreadStart, { nowMs: () => Date.now(), tell });

port.on("message", (message: ToThread) => {
  if (message.kind === "configure") return keeper.configure(message.settings);
  const { id, asked } = message;
  // What fails beyond what is foreseen ends the thread, and another one begins anew.
  void answer(asked).then((answered) => {
    tell({ kind: "answered", id, answer: answered });
    if (asked.kind === "close") port.close();
  });
});

async function answer(asked: Asked): Promise<Answered> {
  switch (asked.kind) {
    case "otlp":
      return keeper.otlp(asked);
    case "append":
      return keeper.append(asked.tenant, asked.events);
    case "ask":
      return keeper.ask(asked.tenant, asked.question);
    case "close":
      keeper.close();
      return { state: "kept", body: new Uint8Array() };
  }
}
