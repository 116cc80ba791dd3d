import type { FarAddress } from "../address/rules.ts";
import type { UpstreamSettings } from "../config/upstream-settings.ts";
import type { KeptAddress } from "../engine/kept-address.ts";
import type { Broker } from "../engine/broker.ts";
import { Refused } from "../engine/refused.ts";
import { baseOf, Homes } from "./homes.ts";
import {
  type Answer,
  type FromPart,
  type Ports,
  type Question,
  type Seat,
  socketPath,
  type ToPart,
} from "./messages.ts";
import { isMovable } from "./movable.ts";

/** How a process and the one that started it talk: the channel of Node. */
export interface Channel {
  send(message: FromPart): void;
  onMessage(take: (message: ToPart) => void): void;
  close(): void;
}

/** One process of a router that has several. */
export class Part {
  readonly seat: Seat;
  readonly #channel: Channel;
  readonly #asked = new Map<number, (answer: Answer) => void>();
  #homes: Homes;
  #lastId = 0;
  #started: (ports: Ports) => void = () => {};
  #answer: (question: Question) => unknown = () => null;

  constructor(seat: Seat, channel: Channel) {
    this.seat = seat;
    this.#channel = channel;
    this.#homes = new Homes(seat.count);
    channel.onMessage((message) => this.#take(message));
  }

  /** Whether it takes clients: one that has what is left of another time does not. */
  get takesClients(): boolean {
    return this.seat.index < this.seat.count;
  }

  /** Where the others are, as upstreams that are known by their index. */
  get siblings(): UpstreamSettings[] {
    const { index: own, indices } = this.seat;
    return indices
      .filter((index) => index !== own)
      .map((index) => ({
        name: nameOf(index),
        path: socketPath(this.seat, index),
        host: "localhost",
        port: 0,
        isTls: false,
        vhost: null,
        user: null,
        password: null,
        ca: null,
      }));
  }

  /** Where an address is; null for one that is here. */
  farOf(name: string): FarAddress | null {
    const home = this.#homes.of(name);
    return home === null || home === this.seat.index ? null : { upstream: nameOf(home), address: name, isInner: true };
  }

  /** The process that has an address; null for this one. */
  homeOf(name: string): number | null {
    const home = this.#homes.of(name);
    return home === this.seat.index ? null : home;
  }

  /**
   * Tells what was found on disk, and resolves when all others have told theirs, with the ports to listen on; null where
   * nothing is left for this one to do.
   */
  open(broker: Pick<Broker, "kept" | "remove">): Promise<Ports | null> {
    const { index } = this.seat;
    const byBase = new Map<string, KeptAddress[]>();
    for (const address of broker.kept) {
      const base = baseOf(address.name);
      byBase.set(base, [...(byBase.get(base) ?? []), address]);
    }
    const exceptions: [string, number][] = [];
    for (const [base, addresses] of byBase) {
      if (this.#homes.byHash(base) === index) continue;
      // What has nothing to keep moves to where it would be made today.
      if (addresses.every(isMovable)) for (const { name } of addresses) broker.remove(name);
      else exceptions.push([base, index]);
    }
    if (!this.takesClients && [...broker.kept].length === 0) {
      this.#channel.send({ is: "empty" });
      return Promise.resolve(null);
    }
    const started = new Promise<Ports>((resolve) => (this.#started = resolve));
    this.#channel.send({ is: "opened", exceptions });
    return started;
  }

  /** Talks to nobody any more. */
  close(): void {
    this.#channel.close();
  }

  /** Answers questions from now on. */
  ready(answer: (question: Question) => unknown): void {
    this.#answer = answer;
    this.#channel.send({ is: "ready" });
  }

  /** Asks another process. @throws Refused with what it says, or that it is away. */
  async ask(to: number, question: Question): Promise<unknown> {
    const id = ++this.#lastId;
    const answer = await new Promise<Answer>((resolve) => {
      this.#asked.set(id, resolve);
      this.#channel.send({ is: "ask", id, to, question });
    });
    if (answer.ok) return answer.value;
    throw new Refused(answer.condition as Refused["condition"], answer.message);
  }

  #take(message: ToPart): void {
    switch (message.is) {
      case "start":
        this.#homes = new Homes(this.seat.count, message.exceptions);
        return this.#started(message.ports);
      case "ask":
        return void this.#reply(message.id, message.question);
      case "answer":
        this.#asked.get(message.id)?.(message.answer);
        this.#asked.delete(message.id);
    }
  }

  async #reply(id: number, question: Question): Promise<void> {
    let answer: Answer;
    try {
      answer = { ok: true, value: (await this.#answer(question)) ?? null };
    } catch (error) {
      const condition = error instanceof Refused ? error.condition : "amqp:internal-error";
      answer = { ok: false, condition, message: error instanceof Error ? error.message : String(error) };
    }
    this.#channel.send({ is: "answer", id, answer });
  }
}

/** A process as an upstream of the others. */
const nameOf = (index: number): string => `process ${index}`;
