import { xxHash32 } from "js-xxhash";
import {
  BUCKET_DIGITS,
  BUCKETS_MAX,
  type Instance,
  instanceKey,
  type Route,
  type RouteTable,
  type Service,
  serviceKey,
  tableKey,
} from "@datawire/protocol";

/**
 * The hash of a table: for each of the two seeds, the sum of its entities' hashes modulo 2^32. A sum does not depend on
 * an order, and follows a change by what the change takes away and brings. It finds what went wrong by accident, as
 * checksums do; nobody gains anything by a collision but a stale view of what they themselves registered.
 */
export class CatalogDigest {
  readonly #sums = SEEDS.map(() => 0);
  /** The sums of the first seed, by bucket. */
  readonly #buckets: Uint32Array | null;

  /** @param buckets whether buckets will be asked for: they cost a second hash for each entity. */
  constructor({ buckets }: { readonly buckets: boolean }) {
    this.#buckets = buckets ? new Uint32Array(BUCKETS_MAX) : null;
  }

  get hasBuckets(): boolean {
    return this.#buckets !== null;
  }

  addService(service: Service): void {
    this.#turn(serviceKey(service), textOfService(service), 1);
  }

  removeService(service: Service): void {
    this.#turn(serviceKey(service), textOfService(service), -1);
  }

  addInstance(instance: Instance): void {
    this.#turn(instanceKey(instance), textOfInstance(instance), 1);
  }

  removeInstance(instance: Instance): void {
    this.#turn(instanceKey(instance), textOfInstance(instance), -1);
  }

  addTable(table: RouteTable): void {
    this.#turn(tableKey(table), textOfTable(table), 1);
  }

  removeTable(table: RouteTable): void {
    this.#turn(tableKey(table), textOfTable(table), -1);
  }

  /** 16 hexadecimal digits; all zero for an empty table. */
  toString(): string {
    return this.#sums.map((sum) => sum.toString(16).padStart(8, "0")).join("");
  }

  /** The sum of each bucket, when there are so many, in hexadecimal digits; their number divides `BUCKETS_MAX`. */
  buckets(count: number): string {
    const sums = new Uint32Array(count);
    for (const [i, sum] of (this.#buckets ?? []).entries()) sums[i % count] = (sums[i % count] as number) + sum;
    return Array.from(sums, (sum) => sum.toString(16).padStart(BUCKET_DIGITS, "0")).join("");
  }

  #turn(key: string, text: string, sign: 1 | -1): void {
    const bytes = encode(text);
    const hashes = SEEDS.map((seed) => xxHash32(bytes, seed));
    for (const [i, hash] of hashes.entries()) this.#sums[i] = ((this.#sums[i] as number) + sign * hash) >>> 0;
    if (this.#buckets === null) return;
    const bucket = bucketFor(key, BUCKETS_MAX);
    this.#buckets[bucket] = (this.#buckets[bucket] as number) + sign * (hashes[0] as number);
  }
}

/** Which of so many buckets an entity with that key is in. */
export function bucketFor(key: string, count: number): number {
  return xxHash32(encode(key), 0) % count;
}

const SEEDS = [0, 1] as const;

// The fields of version 1 of the link, in the order that docs/protocol.md gives. A field that is added later stays out:
// a peer that does not know it would never come to the same hash. So does `cause`, of which a peer may know fewer values.

function textOfService({ name, protocol, primary, declared, proxyPort, settings }: Service): string {
  const { defaultUrl, failover, balance, timeoutMs, connectTimeoutMs, queueTimeoutMs } = settings;
  const { retries, maxConnections, slowStartMs } = settings;
  const limits = [timeoutMs, connectTimeoutMs, queueTimeoutMs, retries, maxConnections, slowStartMs];
  return JSON.stringify([
    "service",
    name,
    protocol,
    primary,
    declared,
    proxyPort,
    defaultUrl,
    failover,
    balance,
    ...limits,
  ]);
}

function textOfInstance(instance: Instance): string {
  const { service, name, version, url, protocol, state, reason } = instance;
  const { weight, zone, tags, proxyPort, drainMs, since, order } = instance;
  const said = [service, name, version, url, protocol, state, reason, weight, zone, tags, proxyPort, drainMs];
  return JSON.stringify(["instance", ...said, since, order]);
}

function textOfTable({ caller, service, sticky, routes }: RouteTable): string {
  return JSON.stringify(["table", caller, service, sticky, routes.map(fieldsOfRoute)]);
}

function fieldsOfRoute({ target, share, slots, when, reading, order, expiry }: Route): unknown[] {
  const before = expiry?.before ?? null;
  const ends = expiry === null ? null : [expiry.atMs, before === null ? null : [before.share, before.when]];
  return [target, share, slots, when, reading, order, ends];
}

const encoder = new TextEncoder();
let buffer = new Uint8Array(4_096);

/** In one buffer for all, as a table has many entities and each is read once. */
function encode(text: string): Uint8Array {
  if (buffer.length < text.length * 3) buffer = new Uint8Array(text.length * 3);
  return buffer.subarray(0, encoder.encodeInto(text, buffer).written);
}
