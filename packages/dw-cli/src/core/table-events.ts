import { describeGeneration, formatPercent, type Instance, type RouteTable } from "@datawire/protocol";
import type { ServiceView } from "@datawire/catalog";

/** One thing that happened, as `dw watch` tells it. */
export interface TableEvent {
  readonly kind: "service" | "instance" | "route";
  /** What it happened to: `//barker`, `//barker@vm101`, `//monolith → //barker`. */
  readonly subject: string;
  readonly message: string;
}

/** Remembers each service, and tells what a new state of one changes. */
export interface ChangeTeller {
  /** @param view null when the service is gone. */
  take(service: string, view: ServiceView | null): TableEvent[];
}

/** Makes a teller that has seen no service yet. */
export function createChangeTeller(): ChangeTeller {
  const known = new Map<string, ServiceView>();
  return {
    take(service, view) {
      const before = known.get(service) ?? null;
      if (view === null) known.delete(service);
      else known.set(service, view);
      return [
        ...serviceEvents(service, before, view),
        ...instanceEvents(before?.instances ?? [], view?.instances ?? []),
        ...routeEvents(before?.tables ?? [], view?.tables ?? []),
      ];
    },
  };
}

function serviceEvents(name: string, before: ServiceView | null, after: ServiceView | null): TableEvent[] {
  const event = (message: string): TableEvent => ({ kind: "service", subject: `//${name}`, message });
  if (before === null || after === null) return before === after ? [] : [event(after === null ? "gone" : "new")];
  const was = before.service;
  const is = after.service;
  const events: TableEvent[] = [];
  if (was.primary !== is.primary) {
    events.push(event(`primary ${describePrimary(was.primary)} → ${describePrimary(is.primary)}`));
  }
  if (JSON.stringify(was.settings) !== JSON.stringify(is.settings)) events.push(event("settings changed"));
  return events;
}

function describePrimary(primary: string | null): string {
  return primary === null ? "none" : describeGeneration(primary);
}

function instanceEvents(before: readonly Instance[], after: readonly Instance[]): TableEvent[] {
  const old = new Map(before.map((instance) => [instance.name, instance]));
  const events: TableEvent[] = [];
  const tell = ({ service, name }: Instance, message: string): void => {
    events.push({ kind: "instance", subject: `//${service}@${name}`, message });
  };
  for (const instance of after) {
    const was = old.get(instance.name);
    old.delete(instance.name);
    const reason = instance.reason === null ? "" : `: ${instance.reason}`;
    if (was === undefined) {
      const version = instance.version === null ? "" : `version ${instance.version}, `;
      tell(instance, `new, ${version}${instance.url}, ${instance.state}${reason}`);
    } else if (was.state !== instance.state) tell(instance, `${was.state} → ${instance.state}${reason}`);
    else if (JSON.stringify(timeless(was)) !== JSON.stringify(timeless(instance))) tell(instance, `changed${reason}`);
  }
  for (const gone of old.values()) tell(gone, "gone");
  return events;
}

function timeless(instance: Instance): Instance {
  return { ...instance, since: 0 };
}

function routeEvents(before: readonly RouteTable[], after: readonly RouteTable[]): TableEvent[] {
  const old = new Map(before.map((table) => [table.caller, table]));
  const events: TableEvent[] = [];
  for (const table of after) {
    events.push(...tableEvents(table, old.get(table.caller)?.routes ?? [], table.routes));
    old.delete(table.caller);
  }
  for (const gone of old.values()) events.push(...tableEvents(gone, gone.routes, []));
  return events;
}

function tableEvents(
  { caller, service }: RouteTable,
  before: RouteTable["routes"],
  after: RouteTable["routes"],
): TableEvent[] {
  const describe = ({ share, when }: RouteTable["routes"][number]): string =>
    `${formatPercent(share)}${when === null ? "" : ` when ${when}`}`;
  const event = (target: string, message: string): TableEvent => ({
    kind: "route",
    subject: `//${caller} → //${service}`,
    message: `${target} ${message}`,
  });
  const old = new Map(before.map((route) => [route.target, route]));
  const events: TableEvent[] = [];
  for (const route of after) {
    const was = old.get(route.target);
    old.delete(route.target);
    if (was === undefined) events.push(event(route.target, describe(route)));
    else if (describe(was) !== describe(route))
      events.push(event(route.target, `${describe(was)} → ${describe(route)}`));
  }
  for (const gone of old.values()) events.push(event(gone.target, `${describe(gone)} → removed`));
  return events;
}
