import { plainName } from "../address/scope.ts";
import { isReserved } from "../address/address.ts";
import type { AddressSettings, Treatment } from "../address/rules.ts";

/** The conditions of AMQP 1.0 that the router answers with. */
export type Condition =
  | "amqp:not-found"
  | "amqp:not-allowed"
  | "amqp:invalid-field"
  | "amqp:not-implemented"
  | "amqp:unauthorized-access"
  | "amqp:resource-limit-exceeded"
  | "amqp:resource-deleted"
  | "amqp:precondition-failed"
  | "amqp:link:stolen";

/** Why a link or a message is not taken, in the words that its peer gets. */
export class Refused extends Error {
  override readonly name = "Refused";
  readonly condition: Condition;

  constructor(condition: Condition, message: string) {
    super(message);
    this.condition = condition;
  }
}

/** What of an address is made where it is not there yet. */
export interface Taken {
  readonly kind: "queue" | "topic" | "direct" | "service";
  readonly settings: AddressSettings;
}

/**
 * Makes sure that an address may be made.
 * @param bound how many there may be, where there are as many; null where there are fewer.
 * @param isCreated whether somebody has said that it is to be made.
 * @throws Refused that says why not.
 */
export function requireTakes(
  name: string,
  { kind, settings }: Treatment,
  bound: number | null,
  isCreated = false,
): Taken {
  const shown = plainName(name);
  if (kind === "none")
    throw new Refused("amqp:not-found", `Cannot attach to ${shown}: a rule of the router says that there is none`);
  if (kind === "link") {
    // Whoever has no tenant is there by now.
    throw new Refused(
      "amqp:unauthorized-access",
      `Cannot attach to ${shown}: it is at an upstream, which no tenant has a part of`,
    );
  }
  if (isReserved(name))
    throw new Refused("amqp:not-found", `Cannot attach to ${shown}: there is none, and $ in front is reserved`);
  if ((kind === "queue" || kind === "topic") && !settings.create && !isCreated) {
    throw new Refused(
      "amqp:not-found",
      `Cannot attach to ${shown}: there is none, and \`create: false\` keeps it from being made`,
    );
  }
  if (bound !== null)
    throw new Refused(
      "amqp:resource-limit-exceeded",
      `Cannot make ${shown}: there are ${bound} addresses already (limits.addresses)`,
    );
  return { kind, settings };
}

/**
 * Makes sure that an address that keeps messages is of the kind that a peer expects; for the other kinds, JMS has no
 * words.
 * @returns the address.
 * @throws Refused that says what it is.
 */
export function requireKind<A extends { readonly name: string; readonly kind: Taken["kind"] }>(
  address: A,
  capability: "queue" | "topic" | null,
): A {
  const { name, kind } = address;
  if (capability === null || kind === capability || (kind !== "queue" && kind !== "topic")) return address;
  throw new Refused("amqp:not-allowed", `Cannot attach to ${plainName(name)} as a ${capability}: it is a ${kind}`);
}

/** Why an address is not made of a kind that a rule gives it not. */
export const otherKind = (name: string, kind: string, ruled: string): Refused =>
  new Refused(
    "amqp:not-allowed",
    `Cannot create ${plainName(name)} as a ${kind}: by the rules of the router it is a ${ruled}`,
  );
