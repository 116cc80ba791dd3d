import { ProtocolError, type Hello, type Role } from "@datawire/protocol";
import { fitsPattern } from "./pattern.ts";
import { describeRight, hasRight, type Right, rolesWith } from "./rights.ts";
import type { TokenRecord } from "./token-record.ts";

/** What whoever proved who it is may do. */
export interface Grant {
  /** Null where nobody is asked who they are. */
  readonly tokenId: string | null;
  readonly role: Role;
  /** Patterns of the services that may be registered; null for all. */
  readonly services: readonly string[] | null;
  readonly tenant: string | null;
}

/** What everybody may do with a directory that asks for no token. */
export const EVERYTHING: Grant = { tokenId: null, role: "admin", services: null, tenant: null };

/** What the holder of a token may do. */
export const grantOf = ({ id, role, services, tenant }: TokenRecord): Grant => ({
  tokenId: id,
  role,
  services,
  tenant,
});

/**
 * Makes sure that a grant has a right.
 * @param action what was asked for, to go after "Cannot".
 * @throws ProtocolError `permission_denied` that says which right is missing and which roles have it.
 */
export function requireRight(grant: Grant, right: Right, action: string): void {
  if (hasRight(grant.role, right)) return;
  throw new ProtocolError(
    "permission_denied",
    `Cannot ${action}: ${describeToken(grant)} lacks the right to ${describeRight(right)}; wanted one of role ${rolesWith(right)}`,
  );
}

/**
 * Makes sure that a client of the link may be what it says it is.
 * @throws ProtocolError `permission_denied`
 */
export function requireLink(grant: Grant, { kind, name, subscribe }: Hello): void {
  const action = `accept the ${kind} ${name}`;
  if (kind === "watson") requireRight(grant, "register", action);
  if (kind !== "watson" || subscribe !== null) requireRight(grant, "subscribe", action);
}

/** Whether a service may be registered. */
export function mayRegister({ services }: Grant, service: string): boolean {
  return services === null || services.some((pattern) => fitsPattern(service, pattern));
}

/** Why an instance is refused that may not be registered, for the one who registers it. */
export function describeLimit(grant: Grant, service: string): string {
  return `${describeToken(grant)} lacks the right to register //${service}: it is for ${(grant.services ?? []).join(", ")}`;
}

function describeToken({ tokenId, role }: Grant): string {
  return `the token ${tokenId} of role ${role}`;
}
