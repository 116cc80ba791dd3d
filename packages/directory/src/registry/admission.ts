import {
  type Instance,
  instanceKey,
  isMachineLocal,
  parseInstanceUrl,
  ProtocolError,
  type Registration,
} from "@datawire/protocol";
import type { Services } from "./services.ts";

/** The most instances and services that one directory holds; see `docs/operating.md` for what they cost. */
const INSTANCES_MAX = 250_000;
const SERVICES_MAX = 50_000;

/** What admission needs to know of what is registered already. */
export interface Admitted {
  readonly services: Services;
  readonly instances: number;
  readonly servicesKnown: number;
  /** The instance of that key, whoever holds it. */
  instance(key: string): Instance | null;
  /** Who else is connected and holds the instance, in words. */
  liveHolder(key: string): string | null;
}

/**
 * Says whether an instance may be registered.
 * @param local whether the Watson's link comes over loopback: a machine-local URL is of use to no other machine.
 * @throws ProtocolError that names what was registered and what was wanted.
 */
export function admit(registration: Registration, known: Admitted, { local }: { readonly local: boolean }): void {
  const key = instanceKey(registration);
  const { service, url, protocol, via } = registration;
  const { host } = parseInstanceUrl(url, protocol);
  // An instance behind a router is not reached at its URL.
  if (!local && via === undefined && isMachineLocal(host)) {
    throw refusal(
      "invalid_argument",
      key,
      `${url} can only be reached on its own machine, and its Watson is on another one; wanted a URL with a host name or address that others reach`,
    );
  }
  const holder = known.liveHolder(key);
  if (holder !== null) {
    throw refusal(
      "conflict",
      key,
      `${holder} holds an instance of that name and is connected; wanted a name of its own (instance: in the service file)`,
    );
  }
  const existing = known.instance(key);
  const mixed = known.services.refusesProtocol(service, protocol, existing);
  if (mixed !== null) {
    throw refusal(
      "conflict",
      key,
      `it speaks ${protocol} and the service speaks ${mixed}; one service is HTTP, TCP or AMQP`,
    );
  }
  if (existing !== null) return;
  if (known.instances >= INSTANCES_MAX)
    throw refusal("limit_exceeded", key, `the directory holds ${INSTANCES_MAX} instances, which is its bound`);
  if (known.servicesKnown >= SERVICES_MAX && known.services.instancesOf(service) === 0)
    throw refusal("limit_exceeded", key, `the directory holds ${SERVICES_MAX} services, which is its bound`);
}

function refusal(code: "invalid_argument" | "conflict" | "limit_exceeded", key: string, why: string): ProtocolError {
  return new ProtocolError(code, `Cannot register ${key}: ${why}`);
}
