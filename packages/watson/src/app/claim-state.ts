import { basename, dirname } from "node:path";
import { claimFolder, ExitError, makePrivateFolder } from "@datawire/runtime";

/**
 * Takes a state file for this process: two Watsons with one identity are one to a directory, which lets in the first.
 * @returns what gives it back. Where no folder can be made nothing is kept, and so there is nothing to take.
 * @throws Error where another process has it.
 */
export async function claimState(path: string): Promise<() => Promise<void>> {
  const folder = dirname(path);
  try {
    await makePrivateFolder(folder);
  } catch (error) {
    if (error instanceof ExitError) throw error;
    return async () => {};
  }
  const release = await claimFolder(folder, "watson", basename(path));
  if (release !== null) return release;
  throw new Error(
    `Cannot use the state file ${path}: another Watson uses it; stop that one, or give this one another --data-dir`,
  );
}
