import type { Registration } from "@datawire/protocol";
import { isInDoubt, type Probe, UNKNOWN } from "../model/belief.ts";
import { isHeld } from "./damping.ts";
import type { Health } from "./health.ts";
import { type Check, isThroughRouter, type ServiceDefinition } from "../model/service-definition.ts";
import { createMonitored, healthOf, type MonitoredInstance, observeMonitored, revise } from "./monitored-instance.ts";

/** A check that should be running, of one instance at one URL. */
export interface Task {
  readonly id: string;
  /** Names the instance and its URL: of an instance that moves, two are monitored for a while. */
  readonly monitoredId: string;
  readonly instance: ServiceDefinition;
  readonly check: Check;
}

/** What came of the outcome of a check. */
export interface Observed {
  /** Null most of the time. */
  readonly change: Change | null;
  /** The next check should come soon: this one failed, which is not yet believed. */
  readonly inDoubt: boolean;
}

/** A change of what is known of one instance. */
export interface Change {
  readonly instance: ServiceDefinition;
  readonly health: Health;
  /** The URL that stays announced instead, as this one is not live; null when this one is announced. */
  readonly keptUrl: string | null;
}

/** An instance at a URL that is not announced, as it is down. */
export interface Kept {
  readonly instance: ServiceDefinition;
  readonly reason: string;
  /** The URL that stays announced. */
  readonly keptUrl: string;
}

/** One instance name: what is announced under it, and what is about to be. */
interface Slot {
  readonly current: MonitoredInstance;
  /** The instance at another URL, while that has not been seen live: made before the old one is broken. */
  readonly next: MonitoredInstance | null;
  readonly leaving: Leaving | null;
}

/** On its way out: first until what replaces it is live, then until its open requests had their time. */
type Leaving = { readonly state: "waiting" } | { readonly state: "draining"; readonly untilMs: number };

/**
 * What Watson checks and what it announces. `apply` takes the wanted set, `observe` the outcome of a check, `tick` the
 * passing of time; `tasks` and `registrations` say what follows. Moments are on the monotonic clock.
 *
 * Nothing leaves the announced set because of an edit alone: a live instance stays until what replaces it is live, and
 * then drains; one that comes back meanwhile never left.
 */
export class Monitor {
  readonly #slots = new Map<string, Slot>();
  readonly #wasLive: (instance: ServiceDefinition) => boolean;
  #stopping = false;
  #version = 0;

  /** @param wasLive says whether an instance was live when an earlier Watson on this machine last looked. */
  constructor(wasLive: (instance: ServiceDefinition) => boolean = () => false) {
    this.#wasLive = wasLive;
  }

  /** Makes `wanted`, by key, what is checked and announced. */
  apply(wanted: ReadonlyMap<string, ServiceDefinition>, nowMs: number): void {
    for (const [key, slot] of this.#slots) if (!wanted.has(key)) this.#retire(key, slot);
    for (const [key, definition] of wanted) this.#slots.set(key, this.#want(this.#slots.get(key), definition, nowMs));
    this.#version++;
    this.#settle(nowMs);
  }

  /** Folds in the outcome of a check. */
  observe(
    { monitoredId, checkId, probe }: { readonly monitoredId: string; readonly checkId: string; readonly probe: Probe },
    nowMs: number,
  ): Observed {
    const key = keyOf(monitoredId);
    const slot = this.#slots.get(key);
    const which = slot !== undefined && monitoredIdOf(slot.current) === monitoredId ? "current" : "next";
    const before = slot?.[which] ?? null;
    // The end of a check that an edit has just removed.
    if (slot === undefined || before === null || monitoredIdOf(before) !== monitoredId)
      return { change: null, inDoubt: false };
    const after = observeMonitored(before, { checkId, probe }, nowMs);
    const inDoubt = isInDoubt(after.beliefs.get(checkId) ?? UNKNOWN);
    if (after === before) return { change: null, inDoubt };
    this.#slots.set(key, { ...slot, [which]: after });
    if (after.health === before.health) return { change: null, inDoubt };
    this.#settle(nowMs);
    const kept = this.#slots.get(key)?.current.definition.url;
    const keptUrl = kept === undefined || kept === after.definition.url ? null : kept;
    return { change: { instance: after.definition, health: healthOf(after, nowMs), keptUrl }, inDoubt };
  }

  /** Lets go of what has drained. */
  tick(nowMs: number): void {
    this.#settle(nowMs);
  }

  /** Every instance that is live is draining from now on. */
  stop(): void {
    this.#stopping = true;
  }

  /** When time alone changes something; null when it never does. */
  nextMs(nowMs: number): number | null {
    let nextMs: number | null = null;
    for (const { current, leaving } of this.#slots.values()) {
      const { damping } = current;
      for (const dueMs of [
        leaving?.state === "draining" ? leaving.untilMs : null,
        isHeld(damping, nowMs) ? damping.heldUntilMs : null,
      ]) {
        if (dueMs !== null && (nextMs === null || dueMs < nextMs)) nextMs = dueMs;
      }
    }
    return nextMs;
  }

  /** Counts the changes of what `tasks` gives. */
  get tasksVersion(): number {
    return this.#version;
  }

  /** Every check that should be running. */
  *tasks(): Generator<Task> {
    for (const { current, next } of this.#slots.values()) {
      yield* tasksOf(current);
      if (next !== null) yield* tasksOf(next);
    }
  }

  /** Whether each instance has an answer to whether it is live. */
  isDecided(): boolean {
    for (const { current } of this.#slots.values()) if (current.health.state === "unknown") return false;
    return true;
  }

  /** The announcements by key; each names the directory that its instance is for, or none. */
  registrations(nowMs: number): Map<string, Announcement> {
    const result = new Map<string, Announcement>();
    for (const [key, { current, leaving }] of this.#slots) {
      const health = healthOf(current, nowMs);
      if (health.state === "unknown") continue;
      const drains = this.#stopping || leaving?.state === "draining";
      const { directory } = current.definition;
      result.set(key, { directory, registration: toRegistration(current.definition, health, drains) });
    }
    return result;
  }

  /** The instances that an edit moved to a URL that is down, so that the one before stays announced. */
  *kept(): Generator<Kept> {
    for (const { current, next } of this.#slots.values()) {
      if (next?.health.state !== "down") continue;
      yield { instance: next.definition, reason: next.health.reason, keptUrl: current.definition.url };
    }
  }

  /** Each instance with its health, for people and for what the next Watson should know. */
  *entries(nowMs: number): Generator<{ readonly instance: ServiceDefinition; readonly health: Health }> {
    for (const { current } of this.#slots.values()) {
      yield { instance: current.definition, health: healthOf(current, nowMs) };
    }
  }

  #want(slot: Slot | undefined, definition: ServiceDefinition, nowMs: number): Slot {
    if (slot === undefined) return { current: this.#create(definition), next: null, leaving: null };
    if (isSameTarget(slot.current.definition, definition)) {
      return { current: revise(slot.current, definition, nowMs), next: null, leaving: null };
    }
    const { next } = slot;
    const same = next !== null && isSameTarget(next.definition, definition);
    return {
      current: slot.current,
      next: same ? revise(next, definition, nowMs) : this.#create(definition),
      leaving: null,
    };
  }

  #create(definition: ServiceDefinition): MonitoredInstance {
    return createMonitored(definition, { believedLive: this.#wasLive(definition) });
  }

  #retire(key: string, slot: Slot): void {
    if (slot.leaving !== null) return;
    if (slot.current.health.state !== "live") this.#slots.delete(key);
    else this.#slots.set(key, { current: slot.current, next: null, leaving: { state: "waiting" } });
  }

  /** Takes the steps that have become possible: replacing a URL, leaving. */
  #settle(nowMs: number): void {
    for (const [key, slot] of this.#slots) {
      if (slot.next !== null) this.#replace(key, slot, slot.next);
      if (slot.leaving !== null) this.#leave(key, slot, slot.leaving, nowMs);
    }
  }

  #replace(key: string, slot: Slot, next: MonitoredInstance): void {
    const nothingToLose = slot.current.health.state !== "live" && next.health.state !== "unknown";
    if (next.health.state !== "live" && !nothingToLose) return;
    this.#slots.set(key, { ...slot, current: next, next: null });
    this.#version++;
  }

  #leave(key: string, slot: Slot, leaving: Leaving, nowMs: number): void {
    const { definition, health } = slot.current;
    const over = leaving.state === "draining" && nowMs >= leaving.untilMs;
    if (health.state !== "live" || over) return this.#remove(key);
    if (leaving.state === "draining" || this.#isAwaitingSuccessor(definition)) return;
    this.#slots.set(key, { ...slot, leaving: { state: "draining", untilMs: nowMs + definition.drainMs } });
    if (definition.drainMs === 0) this.#remove(key);
  }

  #remove(key: string): void {
    this.#slots.delete(key);
    this.#version++;
  }

  /** Whether the file of an instance now has others of the same service instead, of which none is live yet. */
  #isAwaitingSuccessor({ service, source }: ServiceDefinition): boolean {
    let awaits = false;
    for (const { current, leaving } of this.#slots.values()) {
      const { definition, health } = current;
      if (leaving !== null || definition.service !== service || definition.source.file !== source.file) continue;
      if (health.state === "live") return false;
      awaits = true;
    }
    return awaits;
  }
}

/** A registration, and the one directory that it is for; null for all. */
export interface Announcement {
  readonly directory: string | null;
  readonly registration: Registration;
}

function* tasksOf(monitored: MonitoredInstance): Generator<Task> {
  const monitoredId = monitoredIdOf(monitored);
  for (const check of monitored.definition.checks) {
    yield { id: `${monitoredId} ${check.id}`, monitoredId, instance: monitored.definition, check };
  }
}

const monitoredIdOf = ({ definition: { key, protocol, url } }: MonitoredInstance): string =>
  `${key} ${protocol} ${url}`;
const keyOf = (monitoredId: string): string => monitoredId.slice(0, monitoredId.indexOf(" "));

function isSameTarget(a: ServiceDefinition, b: ServiceDefinition): boolean {
  return a.url === b.url && a.protocol === b.protocol;
}

function toRegistration(
  instance: ServiceDefinition,
  health: Exclude<Health, { state: "unknown" }>,
  drains: boolean,
): Registration {
  const { service, name, version, url, protocol, weight, zone, tags, proxyPort, drainMs, tls } = instance;
  const usual = { service, name, version, url, protocol, weight, zone, tags: [...tags], proxyPort, drainMs };
  const body = {
    ...usual,
    ...((!tls.verify || tls.serverName !== null) && { tls }),
    ...(isThroughRouter(instance) && { via: "watson" as const }),
  };
  if (health.state === "down") {
    return { ...body, state: "down", reason: health.reason.slice(0, REASON_LENGTH_MAX), cause: health.cause };
  }
  if (drains) return { ...body, state: "draining", reason: "leaving", cause: null };
  return { ...body, state: "live", reason: null, cause: null };
}

/** What the protocol takes. */
const REASON_LENGTH_MAX = 500;
