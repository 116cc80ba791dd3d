import type { PlanProblem, TcpListener } from "../model/plan.ts";

/** Which local ports TCP services may have. */
export interface TcpSettings {
  /** service → where this machine's settings put it. */
  readonly listen: ReadonlyMap<string, { readonly host: string; readonly port: number }>;
  /** The ports that services may propose; null for none. */
  readonly range: { readonly from: number; readonly to: number } | null;
}

/** The local ports of TCP services, and what stands in the way of others. */
export interface TcpPorts {
  /** By service, sorted. */
  readonly listeners: ReadonlyMap<string, TcpListener>;
  readonly problems: readonly PlanProblem[];
}

const PROPOSED_HOST = "127.0.0.1";

/**
 * Gives TCP services their local ports: what the settings say, then what a service proposes within the range. Of two
 * that want the same port the first by name has it; the other goes without, and that is said.
 */
export function assignPorts(
  services: readonly { readonly service: string; readonly proposal: number | null }[],
  settings: TcpSettings,
  taken: ReadonlyMap<string, string>,
): TcpPorts {
  const owners = new Map<string, string>();
  const listeners: [string, TcpListener][] = [];
  const problems: PlanProblem[] = [];
  const give = (service: string, host: string, port: number): void => {
    const place = `${host}:${port}`;
    const owner = owners.get(place);
    const reason = owner === undefined ? taken.get(place) : `//${owner} has it`;
    if (reason !== undefined) {
      problems.push({ subject: `//${service}`, message: `Cannot listen on ${place} for it: ${reason}` });
      return;
    }
    owners.set(place, service);
    listeners.push([service, { service, host, port }]);
  };
  for (const { service } of services) {
    const place = settings.listen.get(service);
    if (place !== undefined) give(service, place.host, place.port);
  }
  for (const { service, proposal } of services) {
    if (settings.listen.has(service) || proposal === null || settings.range === null) continue;
    if (proposal >= settings.range.from && proposal <= settings.range.to) give(service, PROPOSED_HOST, proposal);
    else {
      problems.push({
        subject: `//${service}`,
        message: `Cannot use the port ${proposal} that it proposes: tcp_ports allows ${settings.range.from}-${settings.range.to}`,
      });
    }
  }
  return { listeners: new Map(listeners.sort(([a], [b]) => (a < b ? -1 : 1))), problems };
}
