import { basename, dirname } from "node:path";
import { claimFolder, describeHolder, ExitError, makePrivateFolder } from "@datawire/runtime";

/**
 * Takes a state file for this Watson: another one with the same identity would have no directory accept it, and each
 * would overwrite what the other remembers. A folder that cannot be made keeps no Watson from starting.
 * @returns what gives it back.
 * @throws Error that names who has it; ExitError for a path that can be no folder of its own.
 */
export async function claimState(path: string): Promise<() => Promise<void>> {
  const folder = dirname(path);
  const claim = await makePrivateFolder(folder)
    .then(() => claimFolder(folder, "watson", basename(path)))
    .catch((error: unknown) => {
      if (error instanceof ExitError) throw error;
      return null;
    });
  if (claim === null) return async () => {};
  if (claim.state === "own") return claim.release;
  throw new Error(
    `Cannot use the folder ${folder}: ${describeHolder("Watson", claim.pid)} keeps its state there; stop that one, or give this one another --data-dir`,
  );
}
