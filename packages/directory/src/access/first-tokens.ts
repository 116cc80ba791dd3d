import { join } from "node:path";
import { makePrivateFolder, writeFileAtomically } from "@datawire/runtime";
import type { MadeToken } from "./token-service.ts";

/** Keeps tokens where their owner alone can read them, `ROLE.token` each, and returns the files. */
export async function keepTokens(folder: string, tokens: readonly MadeToken[]): Promise<string[]> {
  await makePrivateFolder(folder);
  const files: string[] = [];
  for (const { record, token } of tokens) {
    const file = join(folder, `${record.role}.token`);
    await writeFileAtomically(file, `${token}\n`, { mode: 0o600 });
    files.push(file);
  }
  return files;
}
