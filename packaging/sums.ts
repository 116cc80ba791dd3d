import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { readdir, writeFile } from "node:fs/promises";
import { join } from "node:path";

/** What `install.sh` checks packages against, as `sha256sum` prints it. */
const SUMS = "SHA256SUMS";

/** Writes the list of all packages that are in a folder. @returns the file. */
export async function writeSums(folder: string): Promise<string> {
  const names = (await readdir(folder)).filter((name) => /\.(?:deb|rpm|tgz)$/.test(name)).toSorted();
  const lines: string[] = [];
  for (const name of names) {
    const hash = createHash("sha256");
    for await (const chunk of createReadStream(join(folder, name))) hash.update(chunk as Buffer);
    lines.push(`${hash.digest("hex")}  ${name}\n`);
  }
  const file = join(folder, SUMS);
  await writeFile(file, lines.join(""));
  return file;
}
