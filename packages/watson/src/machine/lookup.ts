import { type LookupAddress, lookup as systemLookup } from "node:dns";
import { isIP, type LookupFunction } from "node:net";
import { loopbackAddresses } from "@datawire/protocol";
import type { Clock } from "@datawire/runtime";

/** How long an answer is used before it is asked for again. */
const FRESH_MS = 5_000;
/**
 * The system's resolver blocks one of the four threads with which Node also reads files and resolves all other names.
 * With this bound, names that hang leave two threads free.
 */
const RUNNING_MAX = 2;
const NAMES_MAX = 10_000;

interface Entry {
  readonly addresses: readonly LookupAddress[];
  readonly untilMs: number;
}

type Answer = (error: NodeJS.ErrnoException | null, addresses: readonly LookupAddress[]) => void;

/** What a lookup works with. */
export interface LookupDeps {
  readonly clock: Pick<Clock, "monotonicMs">;
  /** Default: the system's resolver. */
  readonly resolve?: (host: string, done: Answer) => void;
}

/**
 * Makes a `lookup` for sockets that asks once for all that want the same name, remembers the answer for a while, and
 * goes on with the last one when the name stops resolving: a resolver in trouble says nothing about a service.
 */
export function createLookup({ clock, resolve = resolveBySystem }: LookupDeps): LookupFunction {
  const known = new Map<string, Entry>();
  const waiting = new Map<string, Answer[]>();
  const queue: string[] = [];
  let running = 0;

  const startNext = (): void => {
    const host = running < RUNNING_MAX ? queue.shift() : undefined;
    if (host === undefined) return;
    running++;
    resolve(host, (error, addresses) => {
      running--;
      const before = known.get(host);
      const found = error === null ? addresses : (before?.addresses ?? []);
      if (known.size >= NAMES_MAX) known.clear();
      if (found.length > 0) known.set(host, { addresses: found, untilMs: clock.monotonicMs() + FRESH_MS });
      const asked = waiting.get(host) ?? [];
      waiting.delete(host);
      for (const answer of asked) answer(found.length > 0 ? null : error, found);
      startNext();
    });
  };

  const ask = (host: string, answer: Answer): void => {
    const asked = waiting.get(host);
    if (asked !== undefined) return void asked.push(answer);
    waiting.set(host, [answer]);
    queue.push(host);
    startNext();
  };

  const find = (host: string, answer: Answer): void => {
    const fixed = withoutResolver(host);
    if (fixed !== null) return answer(null, fixed);
    const entry = known.get(host);
    if (entry === undefined) return ask(host, answer);
    if (clock.monotonicMs() >= entry.untilMs) ask(host, () => {});
    answer(null, entry.addresses);
  };

  return (host, options, callback) => {
    find(host, (error, all) => {
      const addresses = all.filter(({ family }) => !options.family || family === familyOf(options.family));
      const first = addresses[0];
      if (error !== null || first === undefined) return callback(error ?? notFound(host), "", 0);
      if (options.all === true) callback(null, [...addresses]);
      else callback(null, first.address, first.family);
    });
  };
}

/** Addresses that no resolver is needed for. */
function withoutResolver(host: string): readonly LookupAddress[] | null {
  const addresses = isIP(host) === 0 ? loopbackAddresses(host) : [host];
  return addresses === null ? null : addresses.map((address) => ({ address, family: isIP(address) }));
}

function resolveBySystem(host: string, done: Answer): void {
  systemLookup(host, { all: true }, (error, addresses) => done(error, addresses ?? []));
}

function familyOf(family: number | "IPv4" | "IPv6"): number {
  if (family === "IPv4") return 4;
  return family === "IPv6" ? 6 : family;
}

function notFound(host: string): NodeJS.ErrnoException {
  return Object.assign(new Error(`getaddrinfo ENOTFOUND ${host}`), { code: "ENOTFOUND", hostname: host });
}
