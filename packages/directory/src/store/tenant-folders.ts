import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { isName, parseName } from "@datawire/protocol";
import { explainSystemError } from "@datawire/runtime";
import { StoreError } from "./contract.ts";

/**
 * Where the embedded store of a tenant lies, below the folder of the directory's own.
 * @throws ProtocolError for a name that might lead elsewhere.
 */
export const tenantFolder = (folder: string, tenant: string): string =>
  join(folder, "tenants", parseName(tenant, "tenant"));

/** The tenants that have a store there. */
export async function listTenantFolders(folder: string): Promise<string[]> {
  try {
    return (await readdir(join(folder, "tenants"))).filter(isName).toSorted();
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === "ENOENT") return [];
    throw new StoreError("unavailable", `Cannot read ${join(folder, "tenants")}: ${explainSystemError(cause)}`, {
      cause,
    });
  }
}
