import { isName, parseName, ProtocolError } from "@datawire/protocol";
import type { Store } from "./contract.ts";

/** Whose table it is: an environment of a tenant. */
export interface Realm {
  /** Null for those who belong to no tenant. */
  readonly tenant: string | null;
  /** Null for the one of all that knows no environments. */
  readonly environment: string | null;
}

/** The stores of a directory. */
export interface DirectoryStores {
  /** The store of everybody without a tenant and an environment; it also has the tokens of all. */
  readonly own: Store;
  /** Opens the store of a tenant, or of an environment. */
  open(realm: Realm): Promise<Store>;
  /** The tenants that have a store. */
  listTenants(): Promise<readonly string[]>;
  /** The environments of a tenant that have a store of their own. */
  listEnvironments(tenant: string | null): Promise<readonly string[]>;
}

/** The most environments that one tenant may have: each has a store, a table and jobs of its own. */
export const ENVIRONMENTS_MAX = 64;

/** A realm as the key of a map: a name has no line feed. */
export const realmKey = ({ tenant, environment }: Realm): string => `${tenant ?? ""}\n${environment ?? ""}`;

/**
 * The name of a realm in a backup and in lists of tables: `acme`, `acme/staging`, or `/staging` for an environment
 * without a tenant.
 */
export const formatRealm = ({ tenant, environment }: Realm): string =>
  `${tenant ?? ""}${environment === null ? "" : `/${environment}`}`;

/**
 * Reads what `formatRealm` gives.
 * @throws ProtocolError `invalid_argument`
 */
export function parseRealm(text: string): Realm {
  const [, tenant = "", environment] = /^([^/]*)(?:\/([^/]*))?$/.exec(text) ?? [];
  const isGood =
    (tenant === "" ? environment !== undefined : isName(tenant)) && (environment === undefined || isName(environment));
  if (!isGood) parseName(text, "tenant");
  return { tenant: tenant === "" ? null : tenant, environment: environment ?? null };
}

/** All realms but the usual one of those who belong to no tenant, as `formatRealm` calls them. */
export async function listRealms(stores: Pick<DirectoryStores, "listTenants" | "listEnvironments">): Promise<string[]> {
  const names: string[] = [];
  for (const tenant of [null, ...(await stores.listTenants())]) {
    if (tenant !== null) names.push(tenant);
    for (const environment of await stores.listEnvironments(tenant)) names.push(formatRealm({ tenant, environment }));
  }
  return names;
}

/**
 * Reads the name of an environment.
 * @param usual the name of the one of all that knows no environments.
 * @returns null for that one.
 * @throws ProtocolError `invalid_argument`
 */
export function environmentOf(text: string, usual: string): string | null {
  if (text === usual) return null;
  return isName(text) ? text : parseName(text, "environment");
}

/**
 * Makes sure that a tenant has room for another environment.
 * @throws ProtocolError `limit_exceeded`
 */
export function requireRoom(environment: string, existing: readonly string[]): void {
  if (existing.length < ENVIRONMENTS_MAX || existing.includes(environment)) return;
  throw new ProtocolError(
    "limit_exceeded",
    `Cannot make the environment ${environment}: there are ${ENVIRONMENTS_MAX}, which is the bound; one is gone once its folder in the store is`,
  );
}
