import type { z } from "zod";
import { formatServiceAddress, parseServiceAddress } from "../addresses/address.ts";
import { ProtocolError } from "../words/errors.ts";
import { parseInstanceUrl, protocolOfUrl } from "../addresses/instance-url.ts";
import { parseBalance, parseSticky, parseWhen } from "../words/matchers.ts";
import {
  instanceKey,
  instanceSchema,
  type Instance,
  type Registration,
  registrationSchema,
  type Route,
  type RouteTable,
  routeTableSchema,
  type Service,
  serviceKey,
  serviceSchema,
  type ServiceSettings,
  type SlotRange,
  tableKey,
} from "./model.ts";
import { isName, quoteShort } from "../words/names.ts";
import { countSlots } from "./slots.ts";
import { parseGeneration } from "../words/version.ts";

/**
 * Entities from outside (a store, a backup, the link, the file of the last table) are read here and nowhere else, and
 * are checked for meaning as well as for shape: after this, every address, condition, URL and set of slots can be
 * parsed, so that no rule has to handle bad ones. All functions throw ProtocolError `invalid_argument`.
 */

/** An entity that was left out, because it cannot be read. */
export interface LeftOut {
  readonly kind: "service" | "instance" | "table";
  /** Its key in a table; null where the entity has no usable name. */
  readonly key: string | null;
  readonly reason: string;
}

/** Entities as they came, not parsed yet. */
export interface UnreadEntities {
  readonly services: readonly unknown[];
  readonly instances: readonly unknown[];
  readonly tables: readonly unknown[];
}

/** The entities that could be read, and those that could not. */
export interface ReadEntities {
  readonly services: Service[];
  readonly instances: Instance[];
  readonly tables: RouteTable[];
  readonly leftOut: LeftOut[];
}

/** Reads many entities; leaves out each one that cannot be read, with the reason. */
export function readEntities({ services, instances, tables }: UnreadEntities): ReadEntities {
  const leftOut: LeftOut[] = [];
  const all = <T>(values: readonly unknown[], kind: LeftOut["kind"], { read, keyOf }: Reader<T>): T[] =>
    values.flatMap((value) => {
      try {
        return [read(value)];
      } catch (error) {
        if (!(error instanceof ProtocolError)) throw error;
        leftOut.push({ kind, key: keyOf(value), reason: error.message });
        return [];
      }
    });
  return {
    services: all(services, "service", {
      read: readService,
      keyOf: (value) => keyOfParts(value, ["name"], serviceKey),
    }),
    instances: all(instances, "instance", {
      read: readInstance,
      keyOf: (value) => keyOfParts(value, ["service", "name"], instanceKey),
    }),
    tables: all(tables, "table", {
      read: readRouteTable,
      keyOf: (value) => keyOfParts(value, ["caller", "service"], tableKey),
    }),
    leftOut,
  };
}

/** How an entity that was left out is named to people: its service, or its instance. */
export function subjectOf({ kind, key }: LeftOut): string {
  if (key === null) return kind === "instance" ? "an instance without a name" : `a ${kind} without a name`;
  return kind === "table" ? `//${key.slice(key.indexOf(">") + 1)}` : `//${key}`;
}

/**
 * Reads a service of the table, and checks its meaning.
 * @throws ProtocolError that names what is wrong.
 */
export function readService(value: unknown): Service {
  const service = shaped(serviceSchema, value, "a service");
  requireMeaning(`service ${service.name}`, () => {
    requireGeneration(service.primary);
    requireSettings(service.settings);
  });
  return service;
}

/**
 * Reads an instance of the table, and checks its meaning.
 * @throws ProtocolError that names what is wrong.
 */
export function readInstance(value: unknown): Instance {
  return withUrl(shaped(instanceSchema, value, "an instance"));
}

/** What a Watson says of an instance. */
export function readRegistration(value: unknown): Registration {
  return withUrl(shaped(registrationSchema, value, "an instance"));
}

/**
 * Reads the routes of one caller to one service, and checks their meaning.
 * @throws ProtocolError that names what is wrong.
 */
export function readRouteTable(value: unknown): RouteTable {
  const table = shaped(routeTableSchema, value, "a route table");
  requireMeaning(`the routes of ${table.caller} to ${table.service}`, () => {
    if (table.sticky !== null) parseSticky(table.sticky);
    const targets = new Set<string>();
    for (const route of table.routes) {
      if (targets.has(route.target)) throw wrong(`${quoteShort(route.target)} is a target twice`);
      targets.add(route.target);
      requireRoute(route);
    }
    requireDisjoint(table.routes);
  });
  return table;
}

/**
 * Checks what operators set for a service, except whether a default URL fits the protocol, which the instances decide.
 */
export function requireSettings({ defaultUrl, balance }: ServiceSettings): void {
  if (balance !== null) parseBalance(balance);
  if (defaultUrl !== null) parseInstanceUrl(defaultUrl, protocolOfUrl(defaultUrl));
}

/** A primary: a generation, "" for the one without a version, null while there is none. */
export function requireGeneration(primary: string | null): void {
  if (primary !== null && primary !== "") parseGeneration(primary);
}

interface Reader<T> {
  read(value: unknown): T;
  keyOf(value: unknown): string | null;
}

function withUrl<T extends Registration | Instance>(instance: T): T {
  requireMeaning(`instance ${instanceKey(instance)}`, () => parseInstanceUrl(instance.url, instance.protocol));
  return instance;
}

function requireRoute({ target, share, slots, when, expiry }: Route): void {
  // Targets are compared as text, so that a different spelling would be a different target.
  if (formatServiceAddress(parseServiceAddress(target)) !== target)
    throw wrong(`the target ${quoteShort(target)} is not in its canonical form`);
  if (when !== null) parseWhen(when);
  const before = expiry?.before?.when ?? null;
  if (before !== null) parseWhen(before);
  if (!isAscending(slots)) throw wrong(`the slots of ${target} are not ascending ranges`);
  if (countSlots(slots) !== share) throw wrong(`${target} has ${countSlots(slots)} slots, and its share is ${share}`);
}

/** Requires that no slot belongs to two targets. */
function requireDisjoint(routes: readonly Route[]): void {
  const all = routes.flatMap(({ slots }) => slots).toSorted(([a], [b]) => a - b);
  if (!isAscending(all)) throw wrong("two of its targets have the same slots");
}

/** Whether each range has at least one slot, and none begins before the previous one ends. */
function isAscending(slots: readonly SlotRange[]): boolean {
  return slots.every(([from, to], i) => from < to && from >= (slots[i - 1]?.[1] ?? 0));
}

function shaped<T>(schema: z.ZodType<T>, value: unknown, what: string): T {
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  const where = issue === undefined || issue.path.length === 0 ? "" : `${issue.path.join(".")}: `;
  throw new ProtocolError("invalid_argument", `Cannot read ${what}: ${where}${issue?.message ?? "malformed"}`);
}

/** Adds the entity to the error when something in it cannot be read. */
function requireMeaning(subject: string, read: () => void): void {
  try {
    read();
  } catch (error) {
    if (!(error instanceof ProtocolError)) throw error;
    throw new ProtocolError("invalid_argument", `Cannot read ${subject}: ${error.message}`, { cause: error });
  }
}

const wrong = (why: string): ProtocolError => new ProtocolError("invalid_argument", why);

/** The key of a value of unknown shape, if the parts of the key are names. */
function keyOfParts<K extends string>(
  value: unknown,
  parts: readonly K[],
  keyOf: (parts: Readonly<Record<K, string>>) => string,
): string | null {
  if (typeof value !== "object" || value === null) return null;
  const found = parts.map((part) => [part, Object.getOwnPropertyDescriptor(value, part)?.value as unknown] as const);
  const areNames = found.every(([, name]) => typeof name === "string" && (isName(name) || name === "*"));
  return areNames ? keyOf(Object.fromEntries(found) as Record<K, string>) : null;
}
