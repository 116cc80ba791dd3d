import { type Instance, isIpLiteral, parseInstanceUrl, type Service } from "@datawire/protocol";
import type { Catalog } from "@datawire/catalog";

/** The names in the URLs of some services, or of all for null, that have to be resolved. */
export function hostsOf(table: Catalog, services: Iterable<string> | null): Set<string> {
  const hosts = new Set<string>();
  const add = (url: string, protocol: Instance["protocol"]): void => {
    const host = hostOf(url, protocol);
    if (host !== null && !isIpLiteral(host)) hosts.add(host);
  };
  for (const name of services ?? table.serviceNames()) {
    const view = table.service(name);
    if (view === null) continue;
    addDefault(view.service, add);
    for (const { url, protocol } of view.instances) add(url, protocol);
  }
  return hosts;
}

function addDefault({ settings, protocol }: Service, add: (url: string, protocol: Instance["protocol"]) => void): void {
  if (settings.defaultUrl !== null) add(settings.defaultUrl, protocol);
}

/** Null for a URL that cannot be read; the plan says so. */
function hostOf(url: string, protocol: Instance["protocol"]): string | null {
  try {
    return parseInstanceUrl(url, protocol).host;
  } catch {
    return null;
  }
}
