import type { Right } from "@datawire/api";
import { ProtocolError, type Role } from "@datawire/protocol";
import { describeRight, hasRight, rolesWith } from "./rights.ts";
import type { TokenRecord } from "../store/token-record.ts";

/** What whoever proved who it is may do. */
export interface Grant {
  /** Null where nobody is asked who they are. */
  readonly tokenId: string | null;
  readonly role: Role;
  /** Patterns of the services that may be registered; null for all. */
  readonly services: readonly string[] | null;
  readonly tenant: string | null;
  /** Patterns of what a router may be reached by, in its certificate; null or left out where the token says nothing of it. */
  readonly hosts?: readonly string[] | null;
}

/** What everybody may do with a directory that asks for no token. */
export const EVERYTHING: Grant = { tokenId: null, role: "admin", services: null, tenant: null };

/** Of somebody who has proved nothing: asked for nothing but what needs no right. */
export const NOTHING: Grant = { tokenId: null, role: "client", services: [], tenant: null };

/** What the holder of a token may do. */
export const grantOf = ({ id, role, services, tenant, hosts }: TokenRecord): Grant => ({
  tokenId: id,
  role,
  services,
  tenant,
  hosts,
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

/** A token in words: `the token 1a2b3c4d of role watson`. */
export function describeToken({ tokenId, role }: Grant): string {
  return `the token ${tokenId} of role ${role}`;
}
