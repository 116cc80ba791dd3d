import { type Hello, instanceKey, ProtocolError, type Registration } from "@datawire/protocol";
import type { Refusal } from "../../registry/registry.ts";
import { describeToken, type Grant, requireRight } from "../../access/grant.ts";
import { fitsPattern } from "../../access/pattern.ts";

/**
 * Makes sure that a client of the link may be what it says it is. Besides the rights of its kind, an id that holds
 * services is its holder's alone, so that nobody can take instances away by claiming the id who could not have
 * registered them.
 * @param held the services that are held from a Watson of that id.
 * @throws ProtocolError `permission_denied`
 */
export function requireLink(grant: Grant, { kind, name, subscribe }: Hello, held: readonly string[]): void {
  const action = `accept the ${kind} ${name}`;
  if (kind === "watson") requireRight(grant, "register", action);
  if (kind === "router") requireRight(grant, "route", action);
  if (kind !== "watson" || subscribe !== null) requireRight(grant, "subscribe", action);
  // A library that has registered nothing holds nothing either.
  if (!registers(kind)) return;
  const foreign = held.find((service) => !mayRegister(grant, service));
  if (foreign === undefined) return;
  const why = `its id holds //${foreign}, and ${describeLimit(grant, foreign)}`;
  throw new ProtocolError("permission_denied", `Cannot accept the ${kind} ${name}: ${why}`);
}

/** Whether a client of that kind may register instances: a Watson those of its machine, a library its own, a router its consumers. */
export function registers(kind: Hello["kind"]): boolean {
  return kind === "watson" || kind === "library" || kind === "router";
}

/**
 * Makes sure that a client may register at all.
 * @throws ProtocolError `permission_denied`
 */
export function requireRegistering(grant: Grant, { kind, name }: Hello): void {
  if (!registers(kind)) {
    const why = "only a Watson, a library or a router does";
    throw new ProtocolError("permission_denied", `Cannot register instances for a ${kind}: ${why}`);
  }
  if (kind === "library") requireRight(grant, "register", `register instances of the library ${name}`);
}

/** Whether a service may be registered. */
export function mayRegister({ services }: Grant, service: string): boolean {
  return services === null || services.some((pattern) => fitsPattern(service, pattern));
}

/** Parts what may be registered from what may not, with why. */
export function divideByRight(
  instances: readonly Registration[],
  grant: Grant,
): { readonly permitted: Registration[]; readonly forbidden: Refusal[] } {
  const forbidden = instances
    .filter(({ service }) => !mayRegister(grant, service))
    .map((one): Refusal => {
      const instance = instanceKey(one);
      const message = `Cannot register ${instance}: ${describeLimit(grant, one.service)}`;
      return { instance, code: "permission_denied", message };
    });
  return { permitted: instances.filter(({ service }) => mayRegister(grant, service)), forbidden };
}

function describeLimit(grant: Grant, service: string): string {
  const patterns = (grant.services ?? []).join(", ");
  return `${describeToken(grant)} lacks the right to register //${service}: it is for ${patterns}`;
}
