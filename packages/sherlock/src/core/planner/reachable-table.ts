import { type Instance, type InstanceUrl, parseInstanceUrl, type Service } from "@datawire/protocol";
import type { ServiceView, CatalogReader } from "@datawire/catalog";
import { describeProblem } from "./describe-problem.ts";

/** The last known address of a host name, or why there is none. */
export type Resolution =
  | { readonly state: "known"; readonly address: string }
  | { readonly state: "unknown"; readonly reason: string };

/** Resolves a host, a name or an IP address, from what is known now; it never waits. An address stands for itself, or is refused. */
export type Resolve = (host: string) => Resolution;

/** Where the requests to an instance, or to a default URL, are sent. */
export interface Endpoint {
  readonly url: InstanceUrl;
  /** An IP address without brackets. */
  readonly address: string;
}

/** The address of an instance as seen from this machine, or why there is none. */
export type EndpointResult =
  | { readonly ok: true; readonly endpoint: Endpoint }
  | { readonly ok: false; readonly reason: string };

/** Says where an instance is reached from this machine. */
export function endpointOf(instance: Instance, service: Service, resolve: Resolve): EndpointResult {
  if ((instance.protocol === "tcp") !== (service.protocol === "tcp")) {
    return { ok: false, reason: `its protocol is ${instance.protocol}, that of its service ${service.protocol}` };
  }
  return endpointOfUrl(instance.url, instance.protocol, resolve);
}

/** Says where a URL leads. */
export function endpointOfUrl(text: string, protocol: Instance["protocol"], resolve: Resolve): EndpointResult {
  let url: InstanceUrl;
  try {
    url = parseInstanceUrl(text, protocol);
  } catch (error) {
    return { ok: false, reason: describeProblem(error) };
  }
  const resolution = resolve(url.host);
  if (resolution.state === "unknown") return { ok: false, reason: resolution.reason };
  return { ok: true, endpoint: { url, address: resolution.address } };
}

/**
 * A table in which the instances that cannot be reached from this machine are down, with the reason; so the rules of
 * routing send their share elsewhere. Services of AMQP are not in it: their messages go through routers.
 */
export class ReachableTable implements CatalogReader {
  readonly #table: CatalogReader;
  readonly #resolve: Resolve;

  constructor(table: CatalogReader, resolve: Resolve) {
    this.#table = table;
    this.#resolve = resolve;
  }

  serviceNames(): Iterable<string> {
    return [...this.#table.serviceNames()].filter((name) => this.#table.service(name)?.service.protocol !== "amqp");
  }

  service(name: string): ServiceView | null {
    const view = this.#table.service(name);
    if (view === null || view.service.protocol === "amqp") return null;
    let changed = false;
    const instances = view.instances.map((instance) => {
      const result = endpointOf(instance, view.service, this.#resolve);
      if (result.ok || instance.state === "down") return instance;
      changed = true;
      return { ...instance, state: "down" as const, reason: result.reason };
    });
    const defaultUrl = this.#defaultUrl(view.service);
    if (!changed && defaultUrl === view.service.settings.defaultUrl) return view;
    const settings = { ...view.service.settings, defaultUrl };
    return { ...view, service: { ...view.service, settings }, instances };
  }

  #defaultUrl({ settings, protocol }: Service): string | null {
    if (settings.defaultUrl === null) return null;
    return endpointOfUrl(settings.defaultUrl, protocol, this.#resolve).ok ? settings.defaultUrl : null;
  }
}
