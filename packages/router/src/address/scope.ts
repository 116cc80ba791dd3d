import { isReserved } from "./address.ts";

/**
 * The addresses of a tenant are its own: its `orders` is kept as `@acme/orders`, which nobody can ask for, as no address
 * begins with `@`. What the router makes for one link alone, `$temp/…`, is for whoever was told.
 */
export function scopedName(tenant: string | null, name: string): string {
  return tenant === null || isReserved(name) ? name : `@${tenant}/${name}`;
}

/** What whoever it belongs to calls it. */
export function plainName(name: string): string {
  return name.startsWith("@") ? name.slice(name.indexOf("/") + 1) : name;
}

/** Whose it is; null for those without a tenant. */
export function tenantOf(name: string): string | null {
  return name.startsWith("@") ? name.slice(1, name.indexOf("/")) : null;
}

/** Where the dead letters of an address are, or those of the address whose dead letters these are. */
export function deadNameOf(name: string): string {
  return isDeadName(name) ? name : scopedName(tenantOf(name), `${DEAD}${plainName(name)}`);
}

/** Whether an address has the dead letters of another. */
export function isDeadName(name: string): boolean {
  return plainName(name).startsWith(DEAD);
}

const DEAD = "dead/";
