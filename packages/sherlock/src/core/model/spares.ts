import { digest } from "./hash.ts";
import { DEFAULT_LIMITS, type ServiceLimits } from "./limits.ts";
import type { BackendStructure, Carried, MapName } from "./plan.ts";

/*
 * Backends that a configuration has beyond those that are wanted, all of the default kind and without a server. HAProxy
 * makes a backend by a reload alone; one that it has takes servers, and requests, by commands. So a group of instances
 * that is new stands in a spare one until a reload gives it a backend of its own. Plans know it by its own name
 * throughout: which spare it stands in is looked up on the way to HAProxy, and back.
 */

/** No backend stands in a spare one. */
export const NOT_CARRIED: Carried = new Map();

/**
 * The names of the spare backends of one version of the configuration. No other version has these names and each is
 * used once, so that what an old worker still reports of one cannot be about another. They have no colon, as they do
 * not begin with the name of a service.
 */
export function spareNames(configVersion: string, count: number): string[] {
  const tag = digest(configVersion).slice(0, 8);
  return Array.from({ length: count }, (_, i) => `${PREFIX}${tag}-${i + 1}`);
}

const PREFIX = "spare-";

/** Whether HAProxy's name of a backend is that of a spare one. */
export function isSpareName(name: string): boolean {
  return name.startsWith(PREFIX);
}

/** What all spare backends are like, and whatever stands in one. */
const KIND = {
  protocol: "http",
  tls: false,
  tlsVerify: true,
  tlsName: null,
  base: "",
  host: null,
  balance: { kind: "round-robin" },
  limits: DEFAULT_LIMITS,
  pinned: false,
} as const satisfies Partial<BackendStructure>;

/** A spare backend as a configuration has it. */
export function spareBackend(name: string): BackendStructure {
  return { ...KIND, name, service: "", group: null, far: false };
}

const LIMITS = Object.keys(DEFAULT_LIMITS) as (keyof ServiceLimits)[];

const fitting = new WeakMap<BackendStructure, boolean>();

/** Whether a backend may stand in a spare one: it is of the default kind. */
export function fitsSpare(backend: BackendStructure): boolean {
  const known = fitting.get(backend);
  if (known !== undefined) return known;
  const { name } = backend;
  const fits = JSON.stringify(inOrder(backend)) === JSON.stringify(inOrder(spareBackend(name)));
  fitting.set(backend, fits);
  return fits;
}

/** Of a backend, what decides how requests are treated there. */
function inOrder({
  protocol,
  tls,
  tlsVerify,
  tlsName,
  base,
  host,
  balance,
  limits,
  pinned,
}: BackendStructure): unknown {
  return [protocol, tls, tlsVerify, tlsName, base, host, balance, LIMITS.map((key) => limits[key]), pinned];
}

/** The backends by the spare ones that they stand in. */
export function bySpare(carried: Carried): Map<string, string> {
  return new Map([...carried].map(([backend, spare]) => [spare, backend]));
}

/** Another name of a backend, or the same. */
export type Rename = (backend: string) => string;

/** The same name: where nothing stands in spare backends. */
export const OWN_NAME: Rename = (backend) => backend;

/** By what name HAProxy has a backend. */
export function standsIn(carried: Carried): Rename {
  return carried.size === 0 ? OWN_NAME : (backend) => carried.get(backend) ?? backend;
}

/**
 * An entry of a map, with the names of backends replaced. Entries of sessions name no backends that use spare ones, as
 * a session finds its server by a rule of its own backend.
 */
export function renamedEntry(
  map: MapName | "draw",
  [key, value]: readonly [key: string, value: string],
  rename: Rename,
): [key: string, value: string] {
  switch (map) {
    case "plain":
    case "tcp_plain":
    case "last":
    case "draw":
    case "when_path":
    case "when_node":
      return [key, rename(value)];
    case "fallback": {
      const [origin = "", from = ""] = key.split(">");
      return [`${rename(origin)}>${rename(from)}`, rename(value)];
    }
    case "cut":
      return [rename(key), value];
    case "reasons":
    case "places":
      return [renamedKey(key, rename), value];
    default:
      return [key, value];
  }
}

/** `block|BACKEND`, `service|BACKEND`, `BACKEND/server` or `BACKEND`; prefixes of paths come after a number and a slash. */
function renamedKey(key: string, rename: Rename): string {
  const [, before = "", backend = "", after = ""] = /^(\d+\/.*|[^|/]*\||)([^|/]*)(.*)$/.exec(key) ?? [];
  return `${before}${rename(backend)}${after}`;
}
