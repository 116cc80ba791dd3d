import { createHash } from "node:crypto";
import { type Instance, instanceKey, type TableChange } from "@datawire/protocol";
import type { Clock } from "@datawire/runtime";
import { Announcements } from "./announcements.ts";
import { instanceOf } from "./instance-of.ts";
import { isVisible } from "./visible.ts";
import { goneInstance, keyOf, relayedKey, shownInstance, shownOf } from "./shown-node.ts";
import { canBeShown, frames, type MdkNode } from "./wire.ts";
import type { World } from "./world.ts";

/** Who says that a node is there. */
export interface Announcer {
  /** The process, as it calls itself. */
  readonly nodeId: string;
  readonly version: string;
  /** Whether its connection comes over loopback. */
  readonly local: boolean;
}

/** A node that an original has said is there. */
interface Held {
  readonly key: string;
  readonly node: MdkNode;
  /** The instance that it is; null for one that originals alone are told of. */
  readonly instance: { readonly world: World; readonly holder: string; readonly key: string } | null;
  /** Null once its connection has ended. */
  announcer: Announcer | null;
  readonly renewedMs: number;
  readonly ttlMs: number;
}

/** What became of a node that an original says is there. */
export type Taken =
  | { readonly state: "taken" }
  | { readonly state: "leftOut"; readonly why: string }
  /** No original could take it in, and it is no instance. */
  | { readonly state: "dropped" };

interface RelayDeps {
  /** Counts time in which the directory attended to its clients. */
  readonly clock: Clock;
  /** The environment of all that knows none. */
  readonly environment: string;
  /** Opens the table of an environment; makes one that is not there. */
  open(environment: string): Promise<World>;
  /** Told what the directory failed at; all that goes on, goes on. */
  readonly failed: (subject: string, error: unknown) => void;
}

/** Nodes that only originals are told of: they are in no table that bounds them. */
const RELAYED_MAX = 10_000;
const RELAYED_A_CONNECTION_MAX = 1_000;
/** How exact the end of a node is that nobody renews. */
const TICK_MS = 1_000;

/**
 * Between the tables of a tenant's environments and its originals: makes instances of their nodes, and announcements of
 * what is in the tables.
 */
export class Relay {
  readonly announcements = new Announcements();
  readonly #deps: RelayDeps;
  readonly #worlds = new Map<string, World>();
  readonly #held = new Map<string, Held>();
  readonly #stop: (() => void)[] = [];
  #relayed = 0;
  #cancelTick: (() => void) | null = null;

  constructor(deps: RelayDeps) {
    this.#deps = deps;
  }

  /** The environment of an original that names none. */
  get environment(): string {
    return this.#deps.environment;
  }

  /**
   * Begins to tell of the table of an environment.
   * @param ended what has ended in it before, with when; asked for once no change of the table is on its way any more.
   */
  follow(world: World, ended: () => readonly (readonly [key: string, atMs: number])[] = () => []): void {
    if (this.#worlds.has(world.environment)) return;
    this.#worlds.set(world.environment, world);
    this.#stop.push(world.follow((change) => this.#alone(() => this.#changed(world, change))));
    this.#review(world, world.table.serviceNames());
    for (const [key, atMs] of [...ended(), ...this.#hidden(world)])
      this.announcements.remember(keyOf(world.environment, key), this.#expiry(world, key), atMs);
    this.#cancelTick ??= this.#scheduleTick();
  }

  /** What is in a table and not for originals: one may know it from when it was. */
  *#hidden({ table, environment }: World): Generator<readonly [key: string, atMs: number]> {
    const nowMs = this.#deps.clock.monotonicMs();
    for (const one of table.instances()) {
      const key = instanceKey(one);
      if (!this.announcements.has(keyOf(environment, key))) yield [key, nowMs];
    }
  }

  /** The table of an environment where it is followed already. */
  world(environment: string): World | null {
    return this.#worlds.get(environment) ?? null;
  }

  /** The table of an environment, which is made where there is none. */
  async open(environment: string): Promise<World> {
    const known = this.#worlds.get(environment);
    if (known !== undefined) return known;
    this.follow(await this.#deps.open(environment));
    return this.#worlds.get(environment) as World;
  }

  /**
   * An original says that a node is there.
   * @param world the table of its environment; null where no environment can be called that.
   */
  active(
    announcer: Announcer,
    node: MdkNode,
    { world, ttlMs }: { readonly world: World | null; readonly ttlMs: number },
  ): Taken {
    const renewedMs = this.#deps.clock.monotonicMs();
    const reading = instanceOf(node);
    if (world === null || reading.state === "relayed") return this.#relay(announcer, node, { renewedMs, ttlMs });
    const { registration } = reading;
    const key = keyOf(world.environment, instanceKey(registration));
    const holder = `mdk-${createHash("sha256").update(instanceKey(registration)).digest("hex").slice(0, 32)}`;
    const identity = { id: holder, name: registration.name, version: announcer.version, leaseMs: ttlMs };
    const instance = { world, holder, key: instanceKey(registration) };
    // What it says of itself is shown with the instance, as soon as that is.
    this.#held.set(key, { key, node, instance, announcer, renewedMs, ttlMs });
    const refusal = world.hold(identity, registration, { local: announcer.local });
    // Whatever it held before, a node that is refused holds no more.
    if (refusal !== null) this.#held.delete(key);
    this.#showNow(world, instance.key);
    if (refusal !== null) return { state: "leftOut", why: refusal.message };
    return { state: "taken" };
  }

  /** An original says that a node is no more. One that another process says is there stays. */
  expire(announcer: Announcer, node: MdkNode, world: World | null): void {
    const reading = instanceOf(node);
    const key =
      world === null || reading.state === "relayed"
        ? relayedKey(this.#environmentOf(node), node)
        : keyOf(world.environment, instanceKey(reading.registration));
    const held = this.#held.get(key);
    if (held === undefined || (held.announcer !== null && held.announcer !== announcer)) return;
    this.#end(held);
  }

  /** The connection of an original has ended: its nodes stay until their time is over. */
  left(announcer: Announcer): void {
    for (const held of this.#held.values()) {
      if (held.announcer !== announcer) continue;
      held.announcer = null;
      held.instance?.world.lose(held.instance.holder);
    }
  }

  /** The nodes that originals alone are told of. */
  relayed(): MdkNode[] {
    return [...this.#held.values()].filter(({ instance }) => instance === null).map(({ node }) => node);
  }

  close(): void {
    this.#cancelTick?.();
    for (const stop of this.#stop) stop();
  }

  #relay(announcer: Announcer, node: MdkNode, { renewedMs, ttlMs }: Pick<Held, "renewedMs" | "ttlMs">): Taken {
    const environment = this.#environmentOf(node);
    const shown = shownOf(node, environment);
    if (!canBeShown(shown)) return { state: "dropped" };
    const key = relayedKey(environment, node);
    if (!this.#held.has(key)) {
      const crowd = this.#crowd(announcer);
      if (crowd !== null) return { state: "leftOut", why: crowd };
      this.#relayed += 1;
    }
    this.#held.set(key, { key, node, instance: null, announcer, renewedMs, ttlMs });
    this.announcements.put(key, frames.active(shown, ttlMs / 1_000));
    return { state: "taken" };
  }

  /** Why there may be no more nodes that originals alone are told of. */
  #crowd(announcer: Announcer): string | null {
    const bound = "nodes that originals alone are told of, which is the bound";
    if (this.#relayed >= RELAYED_MAX) return `there are ${RELAYED_MAX} ${bound}`;
    let own = 0;
    for (const held of this.#held.values()) if (held.instance === null && held.announcer === announcer) own += 1;
    return own >= RELAYED_A_CONNECTION_MAX ? `its process has ${own} ${bound}` : null;
  }

  #end(held: Held): void {
    const { key, node, instance } = held;
    this.#held.delete(key);
    if (instance !== null) {
      instance.world.release(instance.holder);
      return this.#showNow(instance.world, instance.key);
    }
    this.#relayed -= 1;
    this.announcements.end(
      key,
      frames.expire(shownOf(node, this.#environmentOf(node))),
      this.#deps.clock.monotonicMs(),
    );
  }

  #changed(world: World, change: TableChange | null): void {
    if (change === null) return this.#review(world, world.table.serviceNames());
    for (const key of change.gone.instances) this.#hide(world, key);
    // A route may name versions of any service, which then leave what is drawn from evenly.
    const hasRoutes = change.tables.length > 0 || change.gone.tables.length > 0;
    const services = change.services.map(({ name }) => name);
    if (hasRoutes) this.#review(world, world.table.serviceNames());
    else if (services.length > 0) this.#review(world, services);
    for (const one of change.instances) this.#showNow(world, instanceKey(one));
  }

  #review(world: World, services: Iterable<string>): void {
    for (const name of services) for (const one of world.table.service(name)?.instances ?? []) this.#show(world, one);
  }

  /** Tells originals of an instance as it is now, which may be that they should not use it. */
  #show(world: World, instance: Instance): void {
    const key = instanceKey(instance);
    const view = world.table.service(instance.service);
    if (view === null || !isVisible(view, instance)) return this.#hide(world, key);
    const held = this.#held.get(keyOf(world.environment, key));
    const shown = shownInstance(instance, world.environment, held?.node.properties);
    const ttlMs = held?.ttlMs ?? world.leaseMs;
    this.announcements.put(keyOf(world.environment, key), frames.active(shown, ttlMs / 1_000));
  }

  /** As above, of what may be gone, or another's by now. */
  #showNow(world: World, key: string): void {
    const instance = world.table.instance(key);
    if (instance === null) this.#hide(world, key);
    else this.#show(world, instance);
  }

  #hide(world: World, key: string): void {
    const whole = keyOf(world.environment, key);
    if (this.announcements.has(whole))
      this.announcements.end(whole, this.#expiry(world, key), this.#deps.clock.monotonicMs());
    if (world.table.instance(key) === null) this.#held.delete(whole);
  }

  #expiry({ environment }: World, key: string): string {
    return frames.expire(goneInstance(key, environment, this.#held.get(keyOf(environment, key))?.node));
  }

  /** What goes wrong here must not reach the others who follow the table, nor end the process from a timer. */
  #alone(work: () => void): void {
    try {
      work();
    } catch (error) {
      this.#deps.failed("MDK clients", error);
    }
  }

  #environmentOf({ environment }: MdkNode): string {
    return environment?.name ?? this.#deps.environment;
  }

  #scheduleTick(): () => void {
    return this.#deps.clock.setTimer(TICK_MS, () => {
      this.#alone(() => this.#tick(this.#deps.clock.monotonicMs()));
      this.#cancelTick = this.#scheduleTick();
    });
  }

  /** Of what nobody has renewed in time, nobody knows any more that it is there, though its process is connected. */
  #tick(nowMs: number): void {
    for (const held of this.#held.values()) {
      if (nowMs < held.renewedMs + held.ttlMs) continue;
      if (held.instance === null) this.#end(held);
      else if (held.announcer !== null) {
        held.announcer = null;
        held.instance.world.lose(held.instance.holder);
      }
    }
  }
}
