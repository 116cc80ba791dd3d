import { join } from "node:path";
import { type Role, ROLES } from "@datawire/protocol";
import { makePrivateFolder, writeFileAtomically } from "@datawire/runtime";
import type { TokenDesk } from "./token-desk.ts";

export interface FirstToken {
  readonly role: Role;
  readonly token: string;
}

/** Makes a token of each role. */
export async function createFirstTokens(desk: TokenDesk, by: string): Promise<FirstToken[]> {
  const made: FirstToken[] = [];
  for (const role of ROLES.toReversed()) {
    const { token } = await desk.create({ role, services: null, tenant: null, expiresMs: null }, by);
    made.push({ role, token });
  }
  return made;
}

/** Keeps tokens where their owner alone can read them, `ROLE.token` each, and returns the files. */
export async function keepTokens(folder: string, tokens: readonly FirstToken[]): Promise<string[]> {
  await makePrivateFolder(folder);
  const files: string[] = [];
  for (const { role, token } of tokens) {
    const file = join(folder, `${role}.token`);
    await writeFileAtomically(file, `${token}\n`, { mode: 0o600 });
    files.push(file);
  }
  return files;
}
