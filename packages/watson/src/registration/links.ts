import { isDeepStrictEqual } from "node:util";
import type { ReportedProblem } from "@datawire/protocol";
import { type Connect, type LinkIdentity, type LinkState, runLink, type TlsSettings } from "@datawire/link";
import type { Clock, Logger, ProblemBoard } from "@datawire/runtime";
import { directoryName, type Replicas } from "../model/directories.ts";
import type { Announcement } from "../monitor/monitor.ts";
import { Registrar } from "./registrar.ts";

/** How directories are reached, and as whom. */
export interface LinksConfig {
  readonly directories: readonly Replicas[];
  readonly identity: LinkIdentity;
  readonly token: string | null;
  readonly tls: TlsSettings | null;
}

/** What the links of a Watson work with. */
export interface LinksDeps {
  readonly clock: Clock;
  readonly log: Logger;
  /** What an operator should see of this Watson; a directory that it does not reach is told to the others. */
  readonly board: ProblemBoard;
  readonly random: () => number;
  /** What is to be announced now, by key. */
  readonly announcements: () => ReadonlyMap<string, Announcement>;
  readonly drains: Drains;
  /** Default: over WebSocket. */
  readonly connect?: Connect;
}

/** Keeps, for the next start, the keys of the instances that operators have drained, by the name of the directory. */
export interface Drains {
  drained(directory: string): ReadonlySet<string>;
  rememberDrained(directory: string, keys: readonly string[]): void;
}

/** An observer of the links. */
export interface LinksObserver {
  /** A directory is reached, lost, or refuses this Watson. */
  stateChanged?(): void;
  /** A directory has confirmed all that it was sent. */
  confirmed?(): void;
}

interface Link {
  readonly config: unknown;
  readonly registrar: Registrar;
  readonly stop: AbortController;
  readonly ended: Promise<void>;
  state: LinkState;
}

/** The links to all directories, each independent of the others. */
export class Links {
  readonly #deps: LinksDeps;
  readonly #links = new Map<string, Link>();
  readonly #observers: LinksObserver[] = [];
  #isOpen = false;
  #isStopped = false;
  #wasConnected = false;

  constructor(deps: LinksDeps) {
    this.#deps = deps;
  }

  /** Tells this observer too, from here on. */
  observe(observer: LinksObserver): void {
    this.#observers.push(observer);
  }

  /** Makes these the directories that are linked to; a link whose settings are the same is not disturbed. */
  async reconcile({ directories, ...access }: LinksConfig): Promise<void> {
    const wanted = new Map(directories.map((replicas) => [directoryName(replicas), replicas]));
    const ending: Promise<void>[] = [];
    for (const [name, link] of this.#links) {
      if (wanted.has(name) && isDeepStrictEqual(link.config, access)) continue;
      // With other access the same set is stated again at once; a directory that is left is told so.
      if (!wanted.has(name)) link.registrar.withdraw();
      link.stop.abort();
      this.#links.delete(name);
      ending.push(link.ended);
    }
    await Promise.all(ending);
    if (this.#isStopped) return;
    for (const [name, replicas] of wanted) {
      if (!this.#links.has(name)) this.#links.set(name, this.#start(replicas, access));
    }
  }

  /** One for each directory. */
  *registrars(): Generator<Registrar> {
    for (const { registrar } of this.#links.values()) yield registrar;
  }

  /** From here on the directories may be told. */
  open(): void {
    this.#isOpen = true;
    for (const registrar of this.registrars()) registrar.open();
  }

  /** Something of what is to be announced, or to be reported, may be another now. */
  changed(): void {
    for (const registrar of this.registrars()) registrar.changed();
  }

  /** Why no directory has the present set; null when one has. */
  missing(): string | null {
    const links = [...this.#links.values()];
    if (links.some(({ registrar }) => registrar.isUpToDate)) return null;
    return links.map(({ registrar, state }) => `${registrar.name} ${describe(state)}`).join("; ");
  }

  /** Why this program is not allowed to register anywhere: each directory has refused it, and none has ever taken it. */
  denial(): string | null {
    const states = [...this.#links.values()].map(({ state }) => state);
    const denials = states.flatMap((state) => (state.state === "waiting" && state.denied ? [state.reason] : []));
    return this.#wasConnected || denials.length === 0 || denials.length < states.length ? null : denials.join("; ");
  }

  /** Ends all links, for good. */
  async stop(): Promise<void> {
    this.#isStopped = true;
    for (const { stop } of this.#links.values()) stop.abort();
    await Promise.all([...this.#links.values()].map(({ ended }) => ended));
  }

  #start(replicas: Replicas, access: Omit<LinksConfig, "directories">): Link {
    const { clock, log, board, random, announcements, drains, connect } = this.#deps;
    const name = directoryName(replicas);
    const registrar = new Registrar(replicas, drains.drained(name), {
      clock,
      log,
      board,
      announcements,
      onDrained: (keys) => drains.rememberDrained(name, keys),
      onConfirmed: () => {
        for (const observer of this.#observers) observer.confirmed?.();
      },
    });
    if (this.#isOpen) registrar.open();
    const stop = new AbortController();
    const deps = {
      clock,
      log,
      board,
      random,
      handler: registrar,
      ...(connect && { connect }),
      onState: (state: LinkState): void => {
        link.state = state;
        if (state.state === "connected") this.#wasConnected = true;
        if (state.state !== "connecting") board.set(`directory ${registrar.name}`, unreached(registrar.name, state));
        for (const observer of this.#observers) observer.stateChanged?.();
      },
    };
    const link: Link = {
      config: access,
      registrar,
      stop,
      state: { state: "connecting", directory: registrar.name },
      ended: Promise.resolve().then(() => runLink({ replicas, ...access, subscribe: null }, deps, stop.signal)),
    };
    return link;
  }
}

function unreached(name: string, state: LinkState): ReportedProblem[] {
  if (state.state !== "waiting") return [];
  const message = `${state.refused ? "refuses this Watson" : "cannot be reached"}: ${state.reason}`;
  return [{ subject: name, message, remedy: "`dw doctor watson` on that machine says more" }];
}

function describe(state: LinkState): string {
  switch (state.state) {
    case "connecting":
      return "is not connected yet";
    case "connected":
      return "has not confirmed the registration yet";
    case "waiting":
      return `cannot be reached: ${state.reason}`;
    case "stopped":
      return "is left";
  }
}
