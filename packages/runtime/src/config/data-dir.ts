import { homedir } from "node:os";
import { join } from "node:path";
import { whyNoFolder } from "../files/private-folder.ts";
import type { Place, Problem } from "./problem.ts";
import type { Env } from "./substitute.ts";

/** The folder of what programs of a user keep: `$XDG_STATE_HOME/datawire`, by default `~/.local/state/datawire`. */
export function userStateDir(env: Env): string {
  return join(env["XDG_STATE_HOME"] || join(env["HOME"] || homedir(), ".local", "state"), "datawire");
}

/** The data folder of a daemon where no setting names one: `/var/lib/datawire/NAME` for root, else below `userStateDir`. */
export function defaultDataDir(name: string, env: Env): string {
  return process.getuid?.() === 0 ? `/var/lib/datawire/${name}` : join(userStateDir(env), name);
}

/** What `--check` says of a folder that can never be made or used; nothing of one that a start may make. */
export async function checkFolder(key: string, path: string, place: Place): Promise<Problem[]> {
  const why = await whyNoFolder(path);
  return why === null ? [] : [{ ...place, message: `${key} is ${JSON.stringify(path)}: ${why}` }];
}
