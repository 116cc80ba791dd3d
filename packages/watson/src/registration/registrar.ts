import type { Registration, ServerMessage } from "@datawire/protocol";
import { type LinkHandler, type LinkMessage, type LinkSession, ProblemTeller } from "@datawire/link";
import { describeError, type Clock, type Logger, type ProblemBoard } from "@datawire/runtime";
import { directoryName, isFor, type Replicas } from "../model/directories.ts";
import { forget, stateAll, stateChanges, type Told, withDrain } from "../monitor/statements.ts";
import type { Announcement } from "../monitor/monitor.ts";

/** What a registrar works with. */
export interface RegistrarDeps {
  readonly clock: Clock;
  readonly log: Logger;
  /** What is to be announced now, by key. */
  readonly announcements: () => ReadonlyMap<string, Announcement>;
  /** What an operator should see of this Watson. */
  readonly board: ProblemBoard;
  /** Told when an operator has drained or resumed instances in this directory; all keys that are drained now. */
  readonly onDrained: (keys: readonly string[]) => void;
  /** Told each time that the directory has confirmed all that it was sent. */
  readonly onConfirmed: () => void;
}

/** Changes within this time after a message go in the next one; the first after a calm is told at once. */
const COALESCE_MS = 2;

type State =
  | { readonly state: "disconnected" }
  | {
      readonly state: "connected";
      readonly session: LinkSession;
      readonly told: Told | null;
      readonly confirmed: number;
    };

/**
 * Keeps one directory told of this machine's instances: the whole set on each connection, and what changed afterwards.
 * It says nothing before `open`: until the first checks are through, the set is smaller than what another Watson with
 * this id may have registered just before.
 */
export class Registrar implements LinkHandler {
  readonly name: string;
  readonly #replicas: Replicas;
  readonly #deps: RegistrarDeps;
  #state: State = { state: "disconnected" };
  #drained: ReadonlySet<string>;
  readonly #problems: ProblemTeller;
  /** By key, why the directory left an instance out. */
  #refused = new Map<string, string>();
  #isOpen = false;
  #cancelTimer: (() => void) | null = null;
  #toldMs = Number.NEGATIVE_INFINITY;
  #cancelRetry: () => void = () => {};

  constructor(replicas: Replicas, drained: ReadonlySet<string>, deps: RegistrarDeps) {
    this.name = directoryName(replicas);
    this.#replicas = replicas;
    this.#drained = drained;
    this.#deps = deps;
    this.#problems = new ProblemTeller(deps);
  }

  get isConnected(): boolean {
    return this.#state.state === "connected";
  }

  /** Whether the directory has confirmed the set as it is now. */
  get isUpToDate(): boolean {
    if (this.#state.state === "disconnected" || this.#state.told === null) return false;
    return this.#state.confirmed === this.#state.told.seq && stateChanges(this.#state.told, this.#wanted()) === null;
  }

  /** From here on the directory may be told. */
  open(): void {
    this.#isOpen = true;
    this.changed();
  }

  /** Something of what is to be announced may be another now. */
  changed(): void {
    if (this.#state.state === "disconnected" || !this.#isOpen) return;
    if (this.#cancelTimer !== null) return;
    const waitMs = Math.max(0, this.#toldMs + COALESCE_MS - this.#deps.clock.monotonicMs());
    this.#cancelTimer = this.#deps.clock.setTimer(waitMs, () => {
      this.#cancelTimer = null;
      this.#tellAlone();
    });
  }

  /** Takes everything back from the directory, as nothing is announced any more. */
  withdraw(): void {
    if (this.#state.state === "connected") {
      this.#state.session.send({ type: "register", seq: this.#state.told?.seq ?? 0, instances: [] });
    }
    this.#isOpen = false;
  }

  connected(session: LinkSession): void {
    this.#state = { state: "connected", session, told: null, confirmed: 0 };
    this.#problems.connected(session);
    this.changed();
  }

  disconnected(): void {
    this.#state = { state: "disconnected" };
    this.#problems.disconnected();
    this.#cancelTimer?.();
    this.#cancelTimer = null;
    this.#cancelRetry();
    this.#refused.clear();
  }

  message(message: LinkMessage): void {
    switch (message.type) {
      case "registered":
        return this.#confirmed(message);
      case "draining":
        return this.#drain(message.instances);
      case "error":
        return this.#deps.log.warn("The directory refuses a message", {
          directory: this.name,
          reason: message.message,
        });
      case "snapshot":
      case "delta":
      case "warm":
      case "logged":
      case "log":
      case "access":
      case "certificate":
        return; // not asked for
    }
  }

  #wanted(): Map<string, Registration> {
    const wanted = new Map<string, Registration>();
    for (const [key, { directory, registration }] of this.#deps.announcements()) {
      if (isFor(this.#replicas, directory)) wanted.set(key, withDrain(registration, this.#drained.has(key)));
    }
    return wanted;
  }

  /** What goes wrong there costs this link, which is opened again and states all: the checks and other links go on. */
  #tellAlone(): void {
    try {
      this.#tell();
      this.#deps.board.set("telling", []);
    } catch (error) {
      this.#deps.log.error("The directory cannot be told", { directory: this.name, error });
      const message = `cannot be told what there is here: ${describeError(error)}`;
      this.#deps.board.set("telling", [{ subject: this.name, message, severity: "error" }]);
      if (this.#state.state !== "disconnected") this.#state.session.reconnect("it cannot be told what there is here");
    }
  }

  #tell(): void {
    if (this.#state.state === "disconnected" || !this.#isOpen) return;
    const { told, session } = this.#state;
    const next = told === null ? stateAll(this.#wanted()) : stateChanges(told, this.#wanted());
    if (next !== null && session.send(next.message)) {
      this.#state = { ...this.#state, told: next.told };
      this.#toldMs = this.#deps.clock.monotonicMs();
    }
    this.#problems.tell();
  }

  #confirmed({ seq, refused }: Extract<ServerMessage, { type: "registered" }>): void {
    if (this.#state.state === "disconnected" || this.#state.told === null) return;
    const { log, clock, onConfirmed } = this.#deps;
    // A directory of an older version may answer two messages the other way round.
    this.#state = { ...this.#state, confirmed: Math.max(this.#state.confirmed, seq + 1) };
    for (const { instance, code, message } of refused) {
      if (this.#refused.get(instance) === message) continue;
      log.error("The directory refuses an instance", { directory: this.name, instance, code, reason: message });
      this.#refused.set(instance, message);
    }
    if (refused.length > 0) {
      this.#cancelRetry();
      // What stands in the way may be gone after a lease: another holder of the name, say.
      this.#cancelRetry = clock.setTimer(this.#state.session.welcome.leaseMs, () => this.#retry());
    } else if (this.isUpToDate) this.#refused.clear();
    if (this.isUpToDate) onConfirmed();
  }

  #retry(): void {
    if (this.#state.state === "disconnected" || this.#state.told === null) return;
    this.#state = { ...this.#state, told: forget(this.#state.told, this.#refused.keys()) };
    this.changed();
  }

  #drain(keys: readonly string[]): void {
    const before = this.#drained;
    this.#drained = new Set(keys);
    const directory = this.name;
    for (const instance of this.#drained) {
      if (!before.has(instance)) this.#deps.log.info("Instance drained by an operator", { directory, instance });
    }
    for (const instance of before) {
      if (!this.#drained.has(instance)) this.#deps.log.info("Instance resumed by an operator", { directory, instance });
    }
    this.#deps.onDrained(keys);
    this.changed();
  }
}
