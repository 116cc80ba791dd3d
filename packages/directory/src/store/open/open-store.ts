import { type Clock, ExitError, exitCodes, type Logger, type ProblemBoard, readTextFile } from "@datawire/runtime";
import type { Store } from "../contract.ts";
import { openEmbeddedStore } from "../embedded/embedded.ts";
import { listEnvironmentFolders, listTenantFolders } from "../embedded/tenant-folders.ts";
import type { EtcdConfig } from "../etcd/gateway.ts";
import type { EtcdSettings, StoreSettings } from "../store-settings.ts";

/** Which store is opened, and for whom. */
export interface StoreOptions {
  readonly store: StoreSettings;
  /** Of the embedded store. */
  readonly folder: string;
  /** The directory's own address; null for a command, which is no directory. */
  readonly address: string | null;
  readonly leaseMs: number;
  /** Whose table it is; null for the one of those who belong to no tenant. */
  readonly tenant: string | null;
  /** Which of their environments; default: the one of all that knows none. */
  readonly environment?: string | null;
}

interface StoreDeps {
  readonly clock: Clock;
  readonly log: Logger;
  /** What an operator should see; left out by a command. */
  readonly board?: Pick<ProblemBoard, "set">;
}

/**
 * Opens the store that the settings choose. Etcd is waited for for as long as it takes, or until the signal aborts.
 * @throws StoreError, and ExitError for a file that the settings name and that cannot be read.
 */
export async function openStore(options: StoreOptions, deps: StoreDeps, signal: AbortSignal): Promise<Store> {
  const { store, folder, address, leaseMs, tenant, environment = null } = options;
  if (store === "embedded") return openEmbeddedStore(folder, address ?? "a command", deps.clock);
  const { prefix } = store.etcd;
  const table = tenant === null ? `/${prefix}/default` : `${tenantsRoot(prefix)}${tenant}`;
  const own = environment === null ? table : `${environmentsRoot(prefix, tenant)}${environment}`;
  const config = { ...(await readEtcdConfig(store.etcd)), prefix: own, address, leaseMs };
  const { openEtcdStore } = await import("../etcd/etcd-store.ts");
  return openEtcdStore(config, deps, signal);
}

/** The tenants that have a store. */
export async function listTenants(
  { store, folder }: Pick<StoreOptions, "store" | "folder">,
  deps: Pick<StoreDeps, "clock">,
): Promise<string[]> {
  if (store === "embedded") return listTenantFolders(folder);
  return listFolders(tenantsRoot(store.etcd.prefix), store.etcd, deps);
}

/** The environments of a tenant that have a store of their own. */
export async function listEnvironments(
  { store, folder, tenant }: Pick<StoreOptions, "store" | "folder" | "tenant">,
  deps: Pick<StoreDeps, "clock">,
): Promise<string[]> {
  if (store === "embedded") return listEnvironmentFolders(folder, tenant);
  return listFolders(environmentsRoot(store.etcd.prefix, tenant), store.etcd, deps);
}

/** Below it each environment of a tenant has a prefix of its own, which lies below none that a tenant has. */
const environmentsRoot = (prefix: string, tenant: string | null): string => `/${prefix}/environments/${tenant ?? ""}/`;

/** Below it each tenant has a prefix of its own. */
const tenantsRoot = (prefix: string): string => `/${prefix}/tenants/`;

/** What speaks with etcd comes with the first use: an embedded store does without a client of HTTP, half of the program. */
async function listFolders(root: string, settings: EtcdSettings, deps: Pick<StoreDeps, "clock">): Promise<string[]> {
  const { listEtcdFolders } = await import("../etcd/etcd-folders.ts");
  return listEtcdFolders(root, await readEtcdConfig(settings), deps);
}

async function readEtcdConfig({ endpoints, user, password_file, tls }: EtcdSettings): Promise<EtcdConfig> {
  const password = password_file === undefined ? "" : (await readSetting("password_file", password_file)).trimEnd();
  const files = (["ca", "cert", "key"] as const).map(async (key) => {
    const path = tls?.[key];
    return path === undefined ? [] : [[key, await readSetting(`tls.${key}`, path)] as const];
  });
  return {
    endpoints,
    user: user === undefined ? null : { name: user, password },
    tls: tls === undefined ? null : Object.fromEntries((await Promise.all(files)).flat()),
  };
}

async function readSetting(key: string, path: string): Promise<string> {
  const read = await readTextFile(path);
  if (read.state === "read") return read.text;
  throw new ExitError(exitCodes.badConfiguration, `Cannot use store.etcd.${key}: ${path}: ${read.problem.message}`);
}
