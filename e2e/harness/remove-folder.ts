import { renameSync, rmSync } from "node:fs";

/**
 * Removes a folder in which programs write: it is gone at once, so that no new file comes into it between the last one
 * that was removed and the folder itself.
 */
export function removeFolder(path: string): void {
  const aside = `${path}.removed`;
  renameSync(path, aside);
  rmSync(aside, { recursive: true });
}
