import { exitCodes, explainSystemError, systemErrorCode } from "@datawire/runtime";
import { runDw } from "./run-dw.ts";
import { systemStreams } from "../io/terminal-output.ts";

/** Runs `dw` on the process itself. */
export async function runProcess(): Promise<void> {
  const { env } = process;
  const stop = new AbortController();
  // The reader of our output has closed it (`dw route list | head`): the command ends, without a failure.
  let unwritten = null as Error | null;
  process.stdout.on("error", (error) => {
    if (systemErrorCode(error) !== "EPIPE") unwritten ??= error;
    stop.abort();
  });
  const code = await runDw(process.argv.slice(2), {
    streams: systemStreams(env),
    env,
    // Each with what it needs alone: most of what commands are made of is not for `dw --version` or a completion.
    connect: async (common, output) => (await import("./connect.ts")).connect(common, output, { env, stop }),
    startDaemon: async (name, args) => (await import("../io/start-daemon.ts")).startDaemon(name, args),
    machine: async () => (await import("../io/system-machine.ts")).systemMachine(env),
  });
  if (code !== undefined) process.exitCode = code; // a daemon that was started has set its own
  // What is written arrives later than `write` returns, and so does the word that it could not be.
  process.once("beforeExit", () => {
    if (unwritten === null) return;
    process.stderr.write(`dw: Cannot write the output: ${explainSystemError(unwritten)}\n`);
    process.exitCode = exitCodes.failed;
  });
}
