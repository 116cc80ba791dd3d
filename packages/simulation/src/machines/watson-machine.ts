import { type InstanceState, instanceKey, type Registration, registrationSchema } from "@datawire/protocol";
import { type Clock, noLog, ProblemBoard, VERSION } from "@datawire/runtime";
import { type Announcement, Links, type Replicas } from "@datawire/watson/testing";
import type { SeededChance } from "../environment/chance.ts";
import type { Absence, Network } from "../environment/network.ts";
import { SimulatedProcess } from "../environment/simulated-process.ts";

interface WatsonMachineDeps {
  readonly clock: Clock;
  readonly chance: SeededChance;
  readonly network: Network;
  readonly replicas: Replicas;
}

/** A Watson checks for a moment before it says anything. */
const FIRST_CHECKS_MS = 40;

/** A machine with programs, and a Watson that looks after them and may be down. */
export class WatsonMachine {
  readonly name: string;
  readonly #deps: WatsonMachineDeps;
  readonly #programs = new Map<string, Registration>();
  /** What Watson keeps in its state folder. */
  #drained: readonly string[] = [];
  #process: SimulatedProcess | null = null;
  #links: Links | null = null;
  /** By key, since when a directory is known to hold it; what nobody has taken back since. */
  readonly confirmed = new Map<string, number>();

  #answeredMs = Number.NEGATIVE_INFINITY;

  constructor(name: string, deps: WatsonMachineDeps) {
    this.name = name;
    this.#deps = deps;
  }

  get isUp(): boolean {
    return this.#process !== null;
  }

  /** When a directory last confirmed all that is announced. */
  get answeredMs(): number {
    return this.#answeredMs;
  }

  /** Whether a directory has confirmed what is announced now. */
  get isUpToDate(): boolean {
    return this.#links !== null && this.#links.missing() === null;
  }

  /** Whether it has a link, as far as it knows. */
  get isConnected(): boolean {
    return this.#links !== null && [...this.#links.registrars()].some(({ isConnected }) => isConnected);
  }

  /** What it announces while it is up, by key. */
  get announced(): ReadonlyMap<string, Registration> {
    return this.#programs;
  }

  /** A program of this machine begins, changes its state, or is taken away. */
  set(number: number, state: Extract<InstanceState, "live" | "down"> | "gone"): void {
    const name = `${this.name}-${number}`;
    const key = instanceKey({ service: "barker", name });
    if (state === "gone") {
      this.#programs.delete(key);
      this.confirmed.delete(key);
    } else {
      const said = {
        service: "barker",
        name,
        version: String((number % 2) + 1),
        url: `http://${this.name}:${8000 + number}`,
      };
      const why = state === "down" ? { reason: "it is sick", cause: "failed" } : {};
      this.#programs.set(key, registrationSchema.parse({ ...said, state, ...why }));
    }
    this.#links?.changed();
  }

  start(): void {
    if (this.#process !== null) return;
    const { clock, chance, network, replicas } = this.#deps;
    const process = new SimulatedProcess(this.name, clock);
    this.#process = process;
    network.back(this.name);
    const board = new ProblemBoard();
    const links = new Links({
      clock: process.clock,
      log: noLog,
      board,
      random: () => chance.number(),
      announcements: () => this.#announcements(),
      drains: {
        drained: () => new Set(this.#drained),
        rememberDrained: (_, keys) => void (this.#drained = keys),
      },
      connect: ({ replica }, events) => network.connect(process, replica.host, events),
    });
    links.observe({ confirmed: () => this.#remember() });
    this.#links = links;
    const identity = { kind: "watson", name: this.name, id: `identity-of-${this.name}`, version: VERSION } as const;
    void links.reconcile({ directories: [replicas], identity, token: null, tls: null });
    process.clock.setTimer(FIRST_CHECKS_MS, () => links.open());
  }

  /** Ends the process without a word; its machine may go with it. */
  crash(absence: Absence): void {
    const process = this.#process;
    if (process === null) return;
    this.#process = null;
    this.#links = null;
    process.kill();
    this.#deps.network.gone(process, absence);
  }

  /** Takes all back and ends, as on SIGTERM. */
  stop(): void {
    const process = this.#process;
    if (process === null || this.#links === null) return;
    const links = this.#links;
    this.#links = null;
    this.confirmed.clear();
    for (const registrar of links.registrars()) registrar.withdraw();
    void links.stop().then(() => {
      if (this.#process === process) this.crash("refuses");
    });
  }

  #announcements(): Map<string, Announcement> {
    return new Map([...this.#programs].map(([key, registration]) => [key, { directory: null, registration }]));
  }

  #remember(): void {
    if (this.#links === null) return; // it is leaving, and has taken all back
    this.#answeredMs = this.#deps.clock.monotonicMs();
    for (const key of this.#programs.keys())
      if (!this.confirmed.has(key)) this.confirmed.set(key, this.#deps.clock.monotonicMs());
  }
}
