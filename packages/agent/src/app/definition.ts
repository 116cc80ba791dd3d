import type { DaemonDefinition } from "@datawire/runtime";
import { sherlock } from "@datawire/sherlock";
import { watson } from "@datawire/watson";
import { runAgent } from "./agent.ts";
import { type AgentSettings, loadAgentSettings } from "./settings.ts";

/** The agent, as `runDaemon` runs it. */
export const agent: DaemonDefinition<AgentSettings> = {
  name: "agent",
  summary: "Watson and Sherlock of this machine in one process, with the settings of both.",
  describe(program) {
    program
      .option("--watson-config <file>", "settings file of Watson, over /etc/datawire and the user's own")
      .option("--sherlock-config <file>", "settings file of Sherlock, over /etc/datawire and the user's own")
      .option("--services <path...>", "folders, globs or files of services (default: /etc/datawire.d/)")
      .option("--host <name>", "how others reach this machine (default: its host name)")
      .option("--name <caller>", "the caller that routes can single out (default: the host name)")
      .option("--listen <address>", "HOST:PORT of the traffic (default: 127.0.0.1:5432 and [::1]:5432)")
      .option("--zone <name>", "zone of this machine, and of its services that name none")
      .option("--admin <address>", "HOST:PORT of the pages and metrics of both, or off (default: 127.0.0.1:5431)")
      .option("--run-dir <folder>", "folder of HAProxy's configuration and sockets, one for each Sherlock")
      .option("--data-dir <folder>", "where each part has a folder for what survives a restart");
  },
  hasFile: false,
  load: loadAgentSettings,
  check: async (settings, input) => [
    ...((await watson.check?.(settings.watson, input)) ?? []),
    ...((await sherlock.check?.(settings.sherlock, input)) ?? []),
  ],
  run: runAgent,
  stopMsMax: (settings) =>
    Math.max(watson.stopMsMax?.(settings.watson) ?? 0, sherlock.stopMsMax?.(settings.sherlock) ?? 0),
};
