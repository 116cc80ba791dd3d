import { mkdir } from "node:fs/promises";
import { dirname } from "node:path";

/**
 * Makes a folder that its owner alone can look into, and what leads to it. The folders above it stay open to all: the
 * programs of a machine run as different users and keep their folders side by side, in `/var/lib/datawire`.
 */
export async function makePrivateFolder(path: string): Promise<void> {
  await mkdir(dirname(path), { recursive: true, mode: 0o755 });
  await mkdir(path, { recursive: true, mode: 0o700 });
}
