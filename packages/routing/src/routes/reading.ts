import {
  formatServiceAddress,
  nearest,
  parseAddress,
  parseName,
  parseServiceAddress,
  ProtocolError,
  quoteShort,
  type RouteTable,
  type ServiceAddress,
  tableKey,
} from "@datawire/protocol";
import type { RouteWorld } from "./world.ts";

/** What SOURCE of a route is. */
export type Reading = "caller" | "service";

/** Whose requests a route is about, and where they should go. */
export interface RouteSubject {
  /** `*` for any caller. */
  readonly caller: string;
  readonly service: string;
  readonly target: ServiceAddress;
  readonly reading: Reading;
  readonly notes: readonly string[];
}

/**
 * Says which reading of SOURCE holds, and resolves the short form of an instance (routing rules, section 4).
 * @throws ProtocolError `invalid_argument` for what cannot be read, `conflict` where the explicit form is needed,
 * `not_found` for a SOURCE that is neither a caller nor a service.
 */
export function readSubject(
  world: RouteWorld,
  command: { readonly source: string; readonly target: string; readonly reading?: Reading | undefined },
): RouteSubject {
  const source = parseSource(command.source, world.directories);
  const target = resolveShortForm(
    world,
    source,
    parseServiceAddress(command.target, world.directories),
    command.target,
  );
  const any: RouteSubject = { caller: "*", service: target.service, target, reading: "caller", notes: [] };
  const asCaller: RouteSubject = { ...any, caller: source };
  const asService: RouteSubject = {
    ...any,
    service: source,
    reading: source === target.service ? "caller" : "service",
  };
  if (source === "*") {
    if (command.reading === "service") throw refuse("invalid_argument", command, "//* is any caller, not a service");
    return any;
  }
  if (command.reading === "caller") return asCaller;
  if (command.reading === "service") return asService;
  if (source === target.service) return any;
  const existing = [asCaller, asService].filter((subject) => findRoute(world, subject) !== null);
  if (existing[0] !== undefined && existing.length === 1) return existing[0];
  const isCaller = world.isKnownCaller(source) || tablesOfCaller(world, source).length > 0;
  const isService = world.table.service(source) !== null;
  if (isCaller && isService) {
    throw refuse(
      "conflict",
      command,
      `${source} is a caller and a service: say --caller for the calls that ${source} makes, or --service for the requests addressed to it`,
    );
  }
  if (isCaller) return asCaller;
  if (isService) return asService;
  if (target.version !== null || target.instance !== null) {
    return { ...asCaller, notes: [`${source} is taken as a caller; no caller of that name was seen yet`] };
  }
  const near = nearest(source, world.table.serviceNames());
  throw refuse(
    "not_found",
    command,
    `${source} is neither a known caller nor a known service` +
      (near === undefined
        ? ": say --caller or --service"
        : `; did you mean //${near}? Otherwise say --caller or --service`),
  );
}

/** The table that holds, or would hold, the route. */
export function subjectTable(world: RouteWorld, subject: RouteSubject): RouteTable | null {
  return world.table.routeTable(tableKey(subject));
}

/** The route from this source to this very target, if there is one. */
export function findRoute(world: RouteWorld, subject: RouteSubject): RouteTable["routes"][number] | null {
  const target = formatServiceAddress(subject.target);
  return subjectTable(world, subject)?.routes.find((route) => route.target === target) ?? null;
}

/**
 * Reads SOURCE: a caller or a service, `*` for any caller.
 * @throws ProtocolError `invalid_argument`
 */
export function parseSource(text: string, directories: readonly string[] = []): string {
  if (text === "//*") return "*";
  const address = parseAddress(text);
  if (address.instance !== null || address.version !== null) {
    throw new ProtocolError(
      "invalid_argument",
      `Cannot use ${quoteShort(text)} as SOURCE: wanted a caller or a service, such as //monolith, or //* for any caller`,
    );
  }
  return address.name === null
    ? parseName(address.authority, "caller or service")
    : parseServiceAddress(text, directories).service;
}

/** `//vm102` after `//barker` means `//barker@vm102` where that is an instance of barker and no service. */
function resolveShortForm(world: RouteWorld, source: string, target: ServiceAddress, text: string): ServiceAddress {
  if (target.version !== null || target.instance !== null || target.service === source) return target;
  const instances = world.table.service(source)?.instances ?? [];
  if (!instances.some((instance) => instance.name === target.service)) return target;
  const explicit: ServiceAddress = { service: source, instance: target.service, version: null };
  if (world.table.service(target.service) === null) return explicit;
  throw new ProtocolError(
    "conflict",
    `Cannot use ${quoteShort(text)} as TARGET: ${target.service} is a service and an instance of ${source}; ` +
      `write ${formatServiceAddress(explicit)} for the instance`,
  );
}

function tablesOfCaller(world: RouteWorld, caller: string): RouteTable[] {
  return [...world.table.routeTables()].filter((table) => table.caller === caller);
}

function refuse(
  code: "invalid_argument" | "conflict" | "not_found",
  command: { readonly source: string },
  why: string,
): ProtocolError {
  return new ProtocolError(code, `Cannot use ${quoteShort(command.source)} as SOURCE: ${why}`);
}
