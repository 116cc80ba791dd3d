import { mkdir, stat } from "node:fs/promises";
import { dirname } from "node:path";
import { writeFileAtomically } from "@datawire/runtime";
import type { RunLocal } from "../../grammar/command.ts";
import { settingsFile } from "./settings-file.ts";

/** Every key with its meaning, commented out, so that the defaults hold. */
export const SAMPLE = `# Settings of dw. Later wins: /etc/datawire/dw.yaml, this file, -c FILE, DATAWIRE_*, flags.

# The directory to ask; a list where it has several addresses.
# directory: //services.example.com/directory

# A file with the token, readable by its owner alone.
# token_file: /etc/datawire/token

# Needed only with certificates of your own.
# tls:
#   ca: /etc/datawire/ca.pem
#   cert: /etc/datawire/dw.pem
#   key: /etc/datawire/dw.key
`;

/** Writes the settings file; an existing file is never replaced. */
export const run: RunLocal = async ({ output, env, configFile }) => {
  const file = settingsFile(configFile, env);
  const there = await stat(file).catch(() => null);
  if (there !== null) throw new Error(`Cannot write ${file}: it is there already; \`dw config set\` changes it`);
  await mkdir(dirname(file), { recursive: true });
  await writeFileAtomically(file, SAMPLE);
  output.line(file);
};
