import type { DaemonDefinition } from "@datawire/runtime";
import { initCommand } from "../cli/init-command.ts";
import { backupCommand, restoreCommand } from "../cli/backup-commands.ts";
import { checkAll } from "../cli/check.ts";
import { runDirectory } from "./directory.ts";
import { type DirectorySettings, FLAGS, loadDirectorySettings } from "../config/settings.ts";

/** The directory as a daemon: its command line, its settings, its life. */
export const directoryDaemon: DaemonDefinition<DirectorySettings> = {
  name: "directory",
  summary: "Keeps who is alive and which routes hold, and tells everyone who asks",
  describe(program) {
    for (const { flag, text } of Object.values(FLAGS)) program.option(flag, text);
  },
  load: loadDirectorySettings,
  check: (settings, { env }) => checkAll(settings, env),
  run: runDirectory,
  commands: [initCommand, backupCommand, restoreCommand],
};
