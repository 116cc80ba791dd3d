import { MemoryRouter, SimulatedDisk } from "@datawire/router/testing";
import { createFakeClock, type FakeClock } from "@datawire/runtime/testing";
import { type SeededChance, seededChance } from "../environment/chance.ts";
import { SimulatedProcess } from "../environment/simulated-process.ts";
import { Cable } from "./cable.ts";
import { Client, type Role } from "./client.ts";
import { Consumer } from "./consumer.ts";
import { Ledger } from "./ledger.ts";
import type { MessageHappening } from "./message-events.ts";
import { Producer } from "./producer.ts";

/** Segments change all the time. */
const LOG = { segmentBytes: 3_000, reserveBytes: 4_000, retryMs: 50, cacheBytes: 2_000 };
const MESSAGES = 25;

/** A router with its disk, and clients of it, on a clock and a network that a seed drives. */
export class MessageWorld {
  readonly ledger = new Ledger();
  readonly clock: FakeClock = createFakeClock();
  readonly producers: readonly Producer[];
  readonly #consumers: readonly Consumer[];
  readonly #clients: readonly Client[] = [];
  readonly #chance: SeededChance;
  readonly #disk: SimulatedDisk;
  /** Null before the first start; alive while it runs, or reads its log. */
  #process: SimulatedProcess | null = null;
  #router: MemoryRouter | null = null;
  #cables: Cable[] = [];
  #isEnding = false;

  constructor(seed: number) {
    const chance = (this.#chance = seededChance(seed));
    const { ledger, clock } = this;
    this.#disk = new SimulatedDisk({
      int: (below) => chance.between(0, below - 1),
      once: (inTimes) => chance.between(1, inTimes) === 1,
    });
    this.producers = [
      { name: "keyed", address: "orders", isKeyed: true },
      { name: "plain", address: "orders", isKeyed: false },
      { name: "news", address: "topic/news", isKeyed: true },
      { name: "more", address: "topic/news", isKeyed: false },
    ].map((config) => new Producer({ ...config, count: MESSAGES }, ledger, chance));
    const deps = { ledger, chance, clock, isEnding: () => this.#isEnding };
    this.#consumers = [
      { name: "one", address: "orders", place: "orders" },
      { name: "two", address: "orders", place: "orders" },
      { name: "kept", address: "topic/news", place: "kept", isDurable: true, isAlone: true },
      { name: "other", address: "topic/news", place: "other", isDurable: true, isAlone: true },
      { name: "dead", address: "dead/orders", place: "dead", takesDead: true },
      { name: "dead-news", address: "dead/topic/news", place: "dead", takesDead: true },
    ].map((config) => new Consumer({ isDurable: false, isAlone: false, takesDead: false, ...config }, deps));
    ledger.expect("orders", ["orders"]);
    ledger.expect("topic/news", ["kept", "other"]);
  }

  /** Starts all; producers begin when those who are to get everything have subscribed. */
  async begin(): Promise<void> {
    this.start();
    const connect = (roles: readonly Role[]): Client[] =>
      roles.map((role, i) => new Client(`${role instanceof Producer ? "p" : "c"}${i}`, role, this.#clientDeps));
    const clients = connect(this.#consumers);
    for (let waitedMs = 0; !this.#consumers.every(({ isAttached }) => isAttached); waitedMs += 50) {
      if (waitedMs > 5_000) throw new Error("Cannot begin: no router answers");
      await this.pass(50);
    }
    (this.#clients as Client[]).push(...clients, ...connect(this.producers));
  }

  get #clientDeps() {
    return { clock: this.clock, chance: this.#chance, connect: () => this.#connect() };
  }

  /** Moves time on by steps, in which everybody does what is due. */
  async pass(ms: number, stepMs = 50): Promise<void> {
    for (let left = ms; left > 0; left -= stepMs) {
      for (const producer of this.producers) producer.pump();
      await this.clock.advance(Math.min(left, stepMs));
      for (let turn = 0; turn < 3; turn++) await new Promise((resolve) => setImmediate(resolve));
    }
  }

  apply(happening: MessageHappening): void {
    switch (happening.do) {
      case "crash":
        this.#crash(happening.isPower);
        this.clock.setTimer(happening.forMs, () => this.start());
        return;
      case "full":
        this.#disk.capacity = this.#disk.usedBytes + happening.bytes;
        this.clock.setTimer(happening.forMs, () => (this.#disk.capacity = Number.POSITIVE_INFINITY));
        return;
      case "errors":
        this.#disk.failsOnceIn = happening.onceIn;
        this.clock.setTimer(happening.forMs, () => (this.#disk.failsOnceIn = 0));
        return;
      case "slow":
        this.#disk.delay = () => this.clock.sleep(happening.ms);
        this.clock.setTimer(happening.forMs, () => (this.#disk.delay = null));
        return;
      case "cut":
        this.#clients[happening.client % this.#clients.length]?.cable?.cut(happening.side);
        return;
      case "silence": {
        const client = this.#clients[happening.client % this.#clients.length];
        client?.cable?.silence(happening.from, this.clock.monotonicMs() + happening.forMs);
        return;
      }
      case "clock":
        this.clock.jumpWallClock(happening.byMs);
    }
  }

  /** Mends all that is broken; from now on everything is accepted. */
  heal(): void {
    this.#disk.capacity = Number.POSITIVE_INFINITY;
    this.#disk.failsOnceIn = 0;
    this.#disk.delay = null;
    this.#isEnding = true;
    this.start();
    for (const consumer of this.#consumers) consumer.end();
  }

  /** Kills the router and starts it again at once. */
  restart(): void {
    this.#crash(true);
    this.start();
  }

  end(): void {
    this.#process?.kill();
  }

  /** Starts the router where it does not run. */
  start(): void {
    if (this.#process?.alive === true) return;
    const process = (this.#process = new SimulatedProcess("router", this.clock));
    const random32 = (): number => this.#chance.between(0, 2 ** 32 - 1);
    const open = async (): Promise<void> => {
      try {
        const router = await MemoryRouter.open(this.#disk.boot(), process.clock, { log: LOG, random32 });
        if (!process.alive) return;
        this.#router = router;
        const tick = (): void => {
          router.tick();
          process.clock.setTimer(1_000, tick);
        };
        process.clock.setTimer(1_000, tick);
      } catch {
        // Its disk failed while it read: whoever watches it starts it again.
        process.kill();
        this.clock.setTimer(200, () => this.start());
      }
    };
    void open();
  }

  #crash(isPower: boolean): void {
    this.#process?.kill();
    this.#router = null;
    if (isPower) this.#disk.crash();
    else this.#disk.kill();
    for (const cable of this.#cables.splice(0)) cable.cut("both");
  }

  #connect(): Cable | null {
    if (this.#router === null) return null;
    const cable = new Cable({ clock: this.clock, chance: this.#chance });
    this.#cables.push(cable);
    this.#router.accept(cable.router.asSocket);
    return cable;
  }
}
