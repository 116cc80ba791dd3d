import { fork, type ChildProcess } from "node:child_process";
import { type Backoff, backoff, type Clock, type Logger, type ProblemBoard } from "@datawire/runtime";
import type { Exceptions } from "./homes.ts";
import {
  type Answer,
  type FromPart,
  type Ports,
  type Question,
  SEAT_VARIABLE,
  type Seat,
  type ToPart,
} from "./messages.ts";

/** How long a process has to stop. */
const STOP_MS_MAX = 15_000;
const BACKOFF = { baseMs: 200, capMs: 5_000 } as const;
/** A process that has lasted so long was a good one. */
const GOOD_MS = 30_000;

/** What the processes work with. */
export interface CrewDeps {
  readonly clock: Clock;
  readonly log: Logger;
  readonly board: Pick<ProblemBoard, "set">;
  readonly random: () => number;
}

interface Member {
  readonly index: number;
  process: ChildProcess;
  state: "opening" | "opened" | "ready";
  startedMs: number;
  wait: Backoff;
}

/** The processes of a router: started together, and each again alone where it ends. */
export class Crew {
  readonly #seats: readonly Seat[];
  readonly #ports: Ports;
  readonly #deps: CrewDeps;
  readonly #first: Backoff;
  readonly #members = new Map<number, Member>();
  readonly #asked = new Map<number, { readonly to: number; readonly resolve: (answer: Answer) => void }>();
  /** Of all logs; only what is found at the first start is ever added. */
  readonly #exceptions: (readonly [string, number])[] = [];
  #lastId = 0;
  #stops = false;
  #allReady: () => void = () => {};
  #failed: (error: Error) => void = () => {};

  constructor(seats: readonly Seat[], ports: Ports, deps: CrewDeps) {
    this.#seats = seats;
    this.#ports = ports;
    this.#deps = deps;
    this.#first = backoff({ ...BACKOFF, random: deps.random });
  }

  get indices(): readonly number[] {
    return [...this.#members.keys()];
  }

  /** Starts all, and resolves when all take clients. @throws Error where one ends before. */
  async start(): Promise<void> {
    await new Promise<void>((resolve, reject) => {
      this.#allReady = resolve;
      this.#failed = reject;
      for (const seat of this.#seats) this.#begin(seat, this.#first);
    });
    this.#failed = () => {};
  }

  /** Ends all. */
  async stop(): Promise<void> {
    this.#stops = true;
    const ended = [...this.#members.values()].map(async ({ process }) => {
      if (process.exitCode !== null || process.signalCode !== null) return;
      const exited = new Promise<void>((resolve) => process.once("exit", () => resolve()));
      process.kill("SIGTERM");
      const cancel = this.#deps.clock.setTimer(STOP_MS_MAX, () => process.kill("SIGKILL"));
      await exited;
      cancel();
    });
    await Promise.all(ended);
  }

  /** Asks one process; one that is away answers with that. */
  ask(to: number, question: Question): Promise<Answer> {
    const member = this.#members.get(to);
    if (member === undefined || member.state !== "ready") return Promise.resolve(AWAY);
    const id = ++this.#lastId;
    return new Promise((resolve) => {
      this.#asked.set(id, { to, resolve });
      send(member, { is: "ask", id, question });
    });
  }

  /** Asks all; those that are away are left out. */
  async askAll(question: Question): Promise<unknown[]> {
    const answers = await Promise.all(this.indices.map((index) => this.ask(index, question)));
    return answers.flatMap((answer) => (answer.ok ? [answer.value] : []));
  }

  #begin(seat: Seat, wait: Backoff): void {
    const [, script = ""] = process.argv;
    const { NOTIFY_SOCKET: _, WATCHDOG_USEC: _watchdog, ...env } = process.env;
    const child = fork(script, process.argv.slice(2), { env: { ...env, [SEAT_VARIABLE]: JSON.stringify(seat) } });
    const member: Member = {
      index: seat.index,
      process: child,
      state: "opening",
      startedMs: this.#deps.clock.monotonicMs(),
      wait,
    };
    this.#members.set(seat.index, member);
    child.on("message", (message) => this.#take(member, message as FromPart));
    child.once("exit", (code, signal) => this.#ended(seat, member, `it ended with ${signal ?? code}`));
  }

  #take(member: Member, message: FromPart): void {
    switch (message.is) {
      case "opened":
        return this.#opened(member, message.exceptions);
      case "empty":
        this.#members.delete(member.index);
        return this.#startWhenOpened();
      case "ready": {
        member.state = "ready";
        this.#deps.board.set(`process ${member.index}`, []);
        if ([...this.#members.values()].every(({ state }) => state === "ready")) this.#allReady();
        return;
      }
      case "ask":
        return void this.ask(message.to, message.question).then((answer) =>
          send(member, { is: "answer", id: message.id, answer }),
        );
      case "answer":
        this.#asked.get(message.id)?.resolve(message.answer);
        this.#asked.delete(message.id);
    }
  }

  #opened(member: Member, exceptions: Exceptions): void {
    member.state = "opened";
    const isFirst = [...this.#members.values()].every(({ state }) => state === "opening" || state === "opened");
    // Others know by now where everything is: a process that is there again has what they know.
    if (!isFirst) return this.#start(member);
    this.#exceptions.push(...exceptions);
    this.#startWhenOpened();
  }

  #startWhenOpened(): void {
    const members = [...this.#members.values()];
    if (members.every(({ state }) => state === "opened")) for (const member of members) this.#start(member);
  }

  #start(member: Member): void {
    send(member, { is: "start", exceptions: this.#exceptions, ports: this.#ports });
  }

  #ended(seat: Seat, member: Member, why: string): void {
    for (const [id, { to, resolve }] of this.#asked) {
      if (to !== member.index) continue;
      this.#asked.delete(id);
      resolve(AWAY);
    }
    member.state = "opening";
    if (this.#stops || this.#members.get(seat.index) !== member) return;
    this.#failed(new Error(`Cannot start: of process ${member.index}, ${why}`));
    const { clock, log, board } = this.#deps;
    log.warn("Process ended, starting it again", { process: member.index, reason: why });
    board.set(`process ${member.index}`, [
      { subject: `process ${member.index}`, message: `${why}, and is started again: its addresses wait meanwhile` },
    ]);
    const lastedMs = clock.monotonicMs() - member.startedMs;
    const { delayMs, backoff: next } = (lastedMs > GOOD_MS ? this.#first : member.wait).next();
    clock.setTimer(delayMs, () => {
      if (!this.#stops) this.#begin(seat, next);
    });
  }
}

const AWAY: Answer = {
  ok: false,
  condition: "amqp:not-found",
  message: "Cannot say: the process that has it is away, and is started again",
};

function send({ process }: Member, message: ToPart): void {
  if (process.connected) process.send(message, () => {}); // one that is gone is told of by its end
}
