import type { DaemonDefinition } from "@datawire/runtime";
import { loadWatsonSettings, type WatsonSettings } from "../config/settings.ts";
import { DRAIN_MS_MAX } from "../config/service-schema.ts";
import { describeSingle } from "../config/single.ts";
import { checkFiles } from "./wanted.ts";
import { runWatson } from "./watson.ts";

const STOP_SLACK_MS = 30_000;

/** Watson, as `runDaemon` runs it. */
export const watson: DaemonDefinition<WatsonSettings> = {
  name: "watson",
  summary: "Checks the services of this machine and registers them with directories.",
  describe(program) {
    describeSingle(program);
    program
      .option("--services <path...>", "folders, globs or files of services (default: /etc/datawire.d/)")
      .option("--host <name>", "how others reach this machine (default: its host name)")
      .option("--zone <name>", "zone of the services that name none")
      .option("--admin <address>", "HOST:PORT of /healthz, /readyz and /metrics, or off (default: 127.0.0.1:5431)")
      .option("--data-dir <folder>", "where the identity and what survives a restart is kept");
  },
  load: loadWatsonSettings,
  check: checkFiles,
  run: (context) => runWatson(context),
  stopMsMax: () => DRAIN_MS_MAX + STOP_SLACK_MS,
};
