import { join } from "node:path";
import type { DaemonInput, ListenAddress } from "@datawire/runtime";
import { loadSherlockSettings, type SherlockSettings } from "@datawire/sherlock";
import { loadWatsonSettings, type WatsonSettings } from "@datawire/watson";

/** What an agent runs with: what its parts would run with by themselves, from the same files. */
export interface AgentSettings {
  readonly watson: WatsonSettings;
  readonly sherlock: SherlockSettings;
  /** The one admin port: `--admin`, else that of watson.yaml; null for none. */
  readonly admin: ListenAddress | null;
}

/** Loads watson.yaml, sherlock.yaml, the environment and the command line. @throws ConfigError with every problem of the first that has some */
export async function loadAgentSettings(input: DaemonInput): Promise<AgentSettings> {
  const watson = await loadWatsonSettings(inputOf(input, "watson"));
  const sherlock = await loadSherlockSettings(inputOf(input, "sherlock"));
  // A part without a port of its own would not open the one that they share.
  return { watson, sherlock: { ...sherlock, admin: watson.admin }, admin: watson.admin };
}

/** The command line as it would be for one part alone. */
function inputOf({ options, ...input }: DaemonInput, part: "watson" | "sherlock"): DaemonInput {
  const folder = options["dataDir"];
  return {
    ...input,
    config: options[`${part}Config`] as string | undefined,
    // An agent has services from folders alone.
    args: [],
    options: { ...options, dataDir: typeof folder === "string" ? join(folder, part) : undefined },
  };
}
