import type { CatalogReader, ServiceView } from "@datawire/catalog";
import { type Instance, parseInstanceUrl, plainInstance } from "@datawire/protocol";
import type { Member } from "../engine/ports.ts";

/** After all that the directory has counted. */
const LAST = 2 ** 48;

/** The instance that stands for consumers that say neither version nor instance. */
export const UNNAMED = "~";
/** The one for those of them that come from the machine of the router, where a service file says what they are. */
export const UNNAMED_HERE = "~here";

/** Where instances of the router's own are found: the table, as far as it knows them. */
export interface OverlaySource {
  service(name: string): ServiceView | null;
  /** What the directory says of an instance; null where it does not know it. */
  instance(key: string): Instance | null;
}

/** Who receives here. */
export interface Receiving {
  readonly members: Iterable<Member>;
  /** `UNNAMED`, `UNNAMED_HERE`, both or none. */
  readonly unnamed: readonly string[];
  /** What a service file says of those of this machine. */
  readonly here: Instance | null;
}

/**
 * What the service files of a machine say of consumers that say nothing themselves: the instance whose consumers Watson counts.
 * Null where there is none, or where there are several: which of them a consumer is nobody knows.
 * @param isHere whether a host is that machine.
 */
export function instanceOfFile({ instances }: ServiceView, isHere: (host: string) => boolean): Instance | null {
  const [one, second] = instances.filter(
    ({ via, url }) => via === "watson" && isHere(parseInstanceUrl(url, "amqp").host),
  );
  return second === undefined ? (one ?? null) : null;
}

/**
 * A service as the rules see it, with those as its instances who receive here, or have an endpoint of their own: by version,
 * by name, and drained where the directory says so. Null for a service that the table does not know.
 */
export function overlay(
  table: OverlaySource,
  name: string,
  { members, unnamed, here }: Receiving,
): CatalogReader | null {
  const view = table.service(name);
  if (view === null || view.service.protocol !== "amqp") return null;
  const instances = [...members].map((member, index) => instanceOf(table, name, { member, index }));
  // To those that take links themselves the router has a link, or will have one in a moment.
  const joined = new Set(instances.map((one) => one.name));
  instances.push(...view.instances.filter((one) => one.via === undefined && !joined.has(one.name)));
  const { primary } = view.service;
  for (const instance of unnamed) {
    const ofFile = instance === UNNAMED_HERE ? here : null;
    const member = { instance, version: ofFile?.version ?? (primary || null) };
    instances.push({
      ...made(name, { member, order: 2 * LAST }),
      state: ofFile?.state === "draining" ? "draining" : "live",
    });
  }
  instances.sort((a, b) => a.order - b.order || (a.name < b.name ? -1 : 1));
  const mine: ServiceView = { ...view, instances };
  // A share that enters another service has nobody here.
  return { service: (asked) => (asked === name ? mine : null), serviceNames: () => [name] };
}

function instanceOf(
  table: OverlaySource,
  service: string,
  { member, index }: { readonly member: Member; readonly index: number },
): Instance {
  const known = table.instance(`${service}@${member.instance}`);
  const own = made(service, { member, order: known?.order ?? LAST + index });
  return known === null
    ? own
    : { ...own, state: known.state === "draining" ? "draining" : "live", weight: known.weight };
}

function made(service: string, { member, order }: { readonly member: Member; readonly order: number }): Instance {
  return {
    service,
    name: member.instance,
    version: member.version,
    url: "amqp://localhost",
    protocol: "amqp",
    ...plainInstance(),
    since: 0,
    order,
  };
}
