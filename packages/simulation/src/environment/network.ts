import type { MemoryLink, Wire } from "@datawire/directory/testing";
import type { Connection, ConnectionEvents } from "@datawire/link";
import type { Clock } from "@datawire/runtime";
import type { SeededChance } from "./chance.ts";
import type { SimulatedProcess } from "./simulated-process.ts";

/** Who takes connections at a host; null while nobody does. */
export interface Listener {
  readonly process: SimulatedProcess;
  open(events: ConnectionEvents, wires: { readonly toDirectory: Wire; readonly toClient: Wire }): MemoryLink;
}

/** What a host does with a packet for which there is no process: a host that is off says nothing. */
export type Absence = "refuses" | "silent";

/** Which end of a connection learns that it broke. */
export type Side = "both" | "client" | "directory";

interface Open {
  readonly client: SimulatedProcess;
  readonly directory: SimulatedProcess | null;
  readonly host: string;
  readonly wires: readonly DelayedWire[];
  link: MemoryLink | null;
}

/** How long a frame is under way; now and then it is sent again by TCP. */
const DELAY_MS = { min: 1, max: 15, retransmission: 250 } as const;
const RETRANSMISSIONS = 0.02;

/**
 * The network between the machines. As TCP does, a connection brings frames in order and once, or breaks; what was under
 * way then is lost. Frames of different connections overtake each other, so that what an old connection brought may
 * come after the first words of the new one. A direction that is silent keeps what is sent until it is so no more.
 */
export class Network {
  readonly #clock: Clock;
  readonly #chance: SeededChance;
  readonly #listeners = new Map<string, Listener>();
  readonly #absences = new Map<string, Absence>();
  readonly #silent = new Map<string, number>();
  #open: Open[] = [];
  #frames = 0;

  constructor(clock: Clock, chance: SeededChance) {
    this.#clock = clock;
    this.#chance = chance;
  }

  /** Says who answers at a host from now on. */
  listen(host: string, listener: Listener | null, absence: Absence = "refuses"): void {
    if (listener === null) this.#listeners.delete(host);
    else this.#listeners.set(host, listener);
    this.#absences.set(host, absence);
  }

  /** Opens a connection. */
  connect(client: SimulatedProcess, host: string, events: ConnectionEvents): Connection {
    const listener = this.#listeners.get(host) ?? null;
    const wire = (from: string, to: string, target: SimulatedProcess | null): DelayedWire =>
      new DelayedWire(
        () => this.#delayMs(from, to),
        this.#clock,
        () => target === null || target.alive,
      );
    const toDirectory = wire(client.name, host, listener?.process ?? null);
    const toClient = wire(host, client.name, client);
    const open: Open = {
      client,
      directory: listener?.process ?? null,
      host,
      wires: [toDirectory, toClient],
      link: null,
    };
    if (listener === null) {
      const refuse = (): void => toClient.carry(0, () => events.closed("connection refused", false));
      toDirectory.carry(0, () => this.#absences.get(host) === "silent" || refuse());
      return { send() {}, bufferedBytes: 0, close() {}, terminate: () => toClient.cut() };
    }
    open.link = listener.open(events, { toDirectory, toClient });
    this.#open = [...this.#open.filter(({ link }) => link?.over !== true), open];
    return open.link.connection;
  }

  /** Breaks the connections between two machines; what is under way is lost. */
  cut(client: string, host: string, side: Side): void {
    for (const one of this.#open) if (one.client.name === client && one.host === host) breakOff(one, side);
  }

  /** Lets nothing through in one direction, for a while. */
  silence(from: string, to: string, ms: number): void {
    this.#silent.set(`${from} ${to}`, this.#clock.monotonicMs() + ms);
  }

  /** How long it takes until everything comes through. */
  get silentForMs(): number {
    return Math.max(0, ...[...this.#silent.values()].map((untilMs) => untilMs - this.#clock.monotonicMs()));
  }

  /** A process is gone: those at the other ends of its connections are told, unless its machine went with it. */
  gone(process: SimulatedProcess, absence: Absence): void {
    for (const one of this.#open) {
      if (one.client !== process && one.directory !== process) continue;
      const side = one.client === process ? "directory" : "client";
      if (absence === "refuses") this.#clock.setTimer(DELAY_MS.max, () => breakOff(one, side));
    }
  }

  /** A machine is back: what is sent over the connections that it had before is answered by a reset. */
  back(name: string): void {
    for (const one of this.#open) {
      if (one.client.name === name && !one.client.alive) breakOff(one, "directory");
      if (one.host === name && one.directory?.alive === false) breakOff(one, "client");
    }
  }

  /** How many frames were sent so far. */
  get frames(): number {
    return this.#frames;
  }

  #delayMs(from: string, to: string): number {
    this.#frames += 1;
    const { min, max, retransmission } = DELAY_MS;
    const again = this.#chance.number() < RETRANSMISSIONS ? retransmission : 0;
    const silentMs = (this.#silent.get(`${from} ${to}`) ?? 0) - this.#clock.monotonicMs();
    return Math.max(0, silentMs) + again + this.#chance.between(min, max);
  }
}

function breakOff({ link, wires }: Open, side: Side): void {
  for (const wire of wires) wire.cut();
  if (side !== "directory") link?.breakAtClient();
  if (side !== "client") link?.breakAtDirectory();
}

/** One direction of a connection. */
class DelayedWire implements Wire {
  readonly #delayMs: () => number;
  readonly #clock: Clock;
  readonly #isThere: () => boolean;
  #lastMs = 0;
  #waitingBytes = 0;
  #isCut = false;

  constructor(delayMs: () => number, clock: Clock, isThere: () => boolean) {
    this.#delayMs = delayMs;
    this.#clock = clock;
    this.#isThere = isThere;
  }

  get waitingBytes(): number {
    return this.#waitingBytes;
  }

  carry(bytes: number, arrive: () => void): void {
    if (this.#isCut) return;
    const nowMs = this.#clock.monotonicMs();
    this.#lastMs = Math.max(this.#lastMs, nowMs + this.#delayMs());
    this.#waitingBytes += bytes;
    this.#clock.setTimer(this.#lastMs - nowMs, () => {
      this.#waitingBytes -= bytes;
      if (!this.#isCut && this.#isThere()) arrive();
    });
  }

  /** Loses what is under way, and all that is sent from now on. */
  cut(): void {
    this.#isCut = true;
  }
}
