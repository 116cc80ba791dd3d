import type { DaemonDefinition } from "@datawire/runtime";
import { checkSherlock } from "./check.ts";
import { renderOnce, writeOnce } from "./once.ts";
import { loadSherlockSettings, type SherlockSettings } from "../config/settings.ts";
import { runSherlock } from "./sherlock.ts";

const STOP_SLACK_MS = 30_000;

/** Sherlock, as `runDaemon` runs it. */
export const sherlock: DaemonDefinition<SherlockSettings> = {
  name: "sherlock",
  summary: "Makes every service of a directory reachable at localhost:5432/NAME, by driving HAProxy.",
  describe(program) {
    program
      .option("--name <caller>", "the caller that routes can single out (default: the host name)")
      .option("--listen <address>", "HOST:PORT of the traffic (default: 127.0.0.1:5432 and [::1]:5432)")
      .option("--admin <address>", "HOST:PORT of /readyz, /metrics and /haproxy, or off (default: 127.0.0.1:5433)")
      .option("--zone <name>", "zone of this machine")
      .option("--run-dir <folder>", "folder of HAProxy's configuration and sockets, one for each Sherlock")
      .option("--data-dir <folder>", "where the last table is kept (default: the run directory, if that was given)")
      .option("--once", "write and validate HAProxy's configuration, and exit");
  },
  load: loadSherlockSettings,
  check: checkSherlock,
  run: (context) => (context.input.options["once"] === true ? writeOnce(context) : runSherlock(context)),
  commands: [
    {
      command: "render",
      summary: "print the configuration that HAProxy would be run with, or write it with every file that it names",
      describe(command) {
        command.option("--output <folder>", "write haproxy.cfg and every file that it names there, and print nothing");
      },
      run: renderOnce,
    },
  ],
  stopMsMax: ({ drainMs }) => drainMs + STOP_SLACK_MS,
};
