import { expect } from "vitest";
import type { Guarded } from "./guarded.ts";

/** A directory, with ports or without. */
type Asked = Pick<Guarded, "ask" | "create">;

/** The tables of tenants that two directories share, or that one has, through tokens of their own. */
export interface TenantTables {
  /** Adds a service to a tenant's table. */
  add(tenant: string | null, service: string): Promise<void>;
  /** The services of a tenant at a directory. */
  services(directory: Asked, tenant: string | null): Promise<string[]>;
  backup(directory: Asked, tenant: string | null): Promise<Uint8Array>;
  restore(directory: Asked, backup: Uint8Array): Promise<void>;
}

/** Makes admin tokens for some tenants, and for those who have none. */
export async function openTenantTables(at: Asked, tenants: readonly string[]): Promise<TenantTables> {
  const tokens = new Map<string | null, string>();
  for (const tenant of [null, ...tenants]) tokens.set(tenant, (await at.create("admin", { tenant })).token);
  const token = (tenant: string | null): string => tokens.get(tenant) ?? "";
  return {
    async add(tenant, service) {
      const body = { service: `//${service}` };
      const { status } = await at.ask("/v1/services", { token: token(tenant), method: "POST", body });
      expect(status).toBe(200);
    },
    async services(directory, tenant) {
      const { body } = await directory.ask("/v1/services", { token: token(tenant) });
      const { services = [] } = JSON.parse(String(body)) as { services?: { service: string }[] };
      return services.map(({ service }) => service);
    },
    async backup(directory, tenant) {
      return (await directory.ask("/v1/backup", { token: token(tenant) })).body;
    },
    async restore(directory, body) {
      const { status } = await directory.ask("/v1/restore", { token: token(null), method: "POST", body });
      expect(status).toBe(200);
    },
  };
}
