import {
  familyOf,
  describeGeneration,
  parseBalance,
  parseInstanceUrl,
  parseGeneration,
  parseServiceAddress,
  parseTimeLimit,
  ProtocolError,
  tableKey,
  type ServiceProtocol,
  type ServiceSettings,
} from "@datawire/protocol";
import { withoutGeneration } from "@datawire/routing";
import { emptyRecord, type ServiceRecord } from "../model/records.ts";
import type { State } from "../registry/state.ts";
import { noSuchService } from "./no-such-service.ts";
import { emptyChangeSet, type Plan } from "../model/change-set.ts";

/** `POST /v1/services`, read. */
export interface ServiceAdd {
  readonly service: string;
  /** A generation: the first part of versions. */
  readonly primary?: string | undefined;
  readonly protocol?: ServiceProtocol | undefined;
  readonly settings: Partial<ServiceSettings>;
}

/** `dw service add`: an operator names a service, which then stays without an instance. */
export function planServiceAdd(state: State, command: ServiceAdd): Plan {
  const name = command.service;
  const before = state.services.record(name);
  const record = before ?? emptyRecord(name);
  if (record.declared)
    throw new ProtocolError("conflict", `Cannot add //${name}: it is there already; change it with dw service set`);
  const protocol = command.protocol ?? state.table.service(name)?.service.protocol ?? "http";
  const mixed = state.services.refusesProtocol(name, protocol, null);
  if (mixed !== null)
    throw new ProtocolError("conflict", `Cannot add //${name} as ${protocol}: its registered instances speak ${mixed}`);
  const primary = command.primary === undefined ? record.primary : parseGeneration(command.primary);
  const settings = checkedSettings({ ...record.settings, ...command.settings }, protocol);
  const after: ServiceRecord = { name, declared: true, protocol, primary, settings };
  return planOf({ name, before, after }, `service add //${name}`);
}

/** `dw service set`: changes some settings; those that are not given stay. */
export function planServiceSet(state: State, name: string, settings: Partial<ServiceSettings>): Plan {
  const entity = requireService(state, name, "set");
  const before = state.services.record(name);
  const record = before ?? emptyRecord(name);
  const after = { ...record, settings: checkedSettings({ ...record.settings, ...settings }, entity.protocol) };
  const words = Object.entries(settings).map(([key, value]) => `${key}=${value ?? "default"}`);
  return planOf({ name, before, after }, `service set //${name} ${words.join(" ")}`);
}

/** `dw service remove`: forgets a service that nothing needs any more. */
export function planServiceRemove(state: State, name: string): Plan {
  const before = state.services.record(name);
  const instances = state.services.instancesOf(name);
  const refuse = (why: string): ProtocolError => new ProtocolError("conflict", `Cannot remove //${name}: ${why}`);
  if (instances > 0) throw refuse(`${instances} of its instances are registered; stop them, or their Watson, first`);
  for (const table of state.table.routeTables()) {
    if (table.service === name || table.routes.some(({ target }) => parseServiceAddress(target).service === name))
      throw refuse(`the routes of ${table.caller} to ${table.service} name it; remove them first`);
  }
  if (before === null) requireService(state, name, "remove");
  return planOf({ name, before, after: null }, `service remove //${name}`);
}

/** `dw service promote`: makes a generation the primary, and removes the routes that name it in the same change. */
export function planPromote(state: State, name: string, version: string | null): Plan {
  const entity = requireService(state, name, "promote");
  const generation = version === null ? "" : parseGeneration(version);
  if (!state.services.hasGeneration(name, generation)) {
    const there = [...state.services.generationsOf(name)].toSorted().map(describeGeneration);
    const [what, none] =
      generation === ""
        ? [`//${name} without a version`, "no instance without one"]
        : [`version ${generation} of //${name}`, "no instance of it"];
    throw new ProtocolError(
      "not_found",
      `Cannot promote ${what}: ${none} is registered; there are: ${there.join(", ") || "none"}`,
    );
  }
  return promotion(state, { name, from: entity.primary, to: generation });
}

/** The change of a primary, with what it makes of the routes. */
export function promotion(
  state: State,
  { name, from, to }: { readonly name: string; readonly from: string | null; readonly to: string },
): Plan {
  const before = state.services.record(name);
  const after = { ...(before ?? emptyRecord(name)), primary: to };
  const tables = [...state.table.routeTables()].flatMap((table) => {
    const left = withoutGeneration(table, name, to);
    return left === table ? [] : [{ key: tableKey(table), before: table, after: left }];
  });
  const callers = tables.map(({ before: table }) => (table.caller === "*" ? "any caller" : table.caller));
  const notes = callers.length === 0 ? [] : [`routes that named it are gone, for ${callers.join(", ")}`];
  const was = from === null ? "none" : describeGeneration(from);
  return {
    action: `service promote //${name}: primary ${was} → ${describeGeneration(to)}`,
    change: { ...emptyChangeSet(), services: [{ key: name, before, after }], tables },
    notes,
  };
}

function planOf(
  { name, before, after }: { name: string; before: ServiceRecord | null; after: ServiceRecord | null },
  action: string,
): Plan {
  return { action, change: { ...emptyChangeSet(), services: [{ key: name, before, after }] }, notes: [] };
}

function requireService(state: State, name: string, verb: string) {
  const view = state.table.service(name);
  if (view !== null) return view.service;
  throw noSuchService(state.table, verb, name);
}

const LIMITS = ["timeoutMs", "connectTimeoutMs", "queueTimeoutMs", "slowStartMs"] as const;

function checkedSettings(settings: ServiceSettings, protocol: ServiceProtocol): ServiceSettings {
  for (const limit of LIMITS)
    if (settings[limit] !== null && settings[limit] !== 0) parseTimeLimit(`${settings[limit]}ms`);
  if (settings.defaultUrl !== null) parseInstanceUrl(settings.defaultUrl, protocol);
  const balance = settings.balance === null ? null : parseBalance(settings.balance);
  const needsHttp = balance?.kind === "cookie" || (balance?.kind === "consistent" && balance.by !== "ip");
  if (needsHttp && familyOf(protocol) !== "http") {
    throw new ProtocolError(
      "invalid_argument",
      `Cannot use ${JSON.stringify(settings.balance)} as balance: the service is of ${protocol}, where there are no cookies, headers and paths; wanted http or h2`,
    );
  }
  return settings;
}
