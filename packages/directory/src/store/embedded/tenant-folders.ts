import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { isName, parseName } from "@datawire/protocol";
import { explainSystemError } from "@datawire/runtime";
import { StoreError } from "../contract.ts";
import type { Realm } from "../realm.ts";

/**
 * Where the embedded store of a tenant lies, below the folder of the directory's own.
 * @throws ProtocolError for a name that might lead elsewhere.
 */
export const tenantFolder = (folder: string, tenant: string): string =>
  join(folder, "tenants", parseName(tenant, "tenant"));

/** As `tenantFolder`, of an environment of a tenant, or of those who belong to none. */
export function realmFolder(folder: string, { tenant, environment }: Realm): string {
  const own = tenant === null ? folder : tenantFolder(folder, tenant);
  return environment === null ? own : join(own, ENVIRONMENTS, parseName(environment, "environment"));
}

/** The tenants that have a store there. */
export const listTenantFolders = (folder: string): Promise<string[]> => listFolders(join(folder, "tenants"));

/** The environments of a tenant that have a store of their own. */
export const listEnvironmentFolders = (folder: string, tenant: string | null): Promise<string[]> =>
  listFolders(join(realmFolder(folder, { tenant, environment: null }), ENVIRONMENTS));

const ENVIRONMENTS = "environments";

async function listFolders(folder: string): Promise<string[]> {
  try {
    return (await readdir(folder)).filter(isName).toSorted();
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === "ENOENT") return [];
    throw new StoreError("unavailable", `Cannot read ${folder}: ${explainSystemError(cause)}`, { cause });
  }
}
