import { type Balance, parseBalance } from "@datawire/protocol";
import { xxHash32 } from "js-xxhash";
import type { Choice } from "../session/node.ts";

/** Where time and chance come from. */
export interface Chance {
  /** From 0 to below 1. */
  readonly random: () => number;
  readonly monotonicMs: () => number;
}

/** Shares what one target gets among its nodes. */
export interface Balancer {
  readonly choices: readonly Choice[];
  /** The next node, without those whose breaker has tripped; null where there is none. */
  next(key: string | null): Choice | null;
}

/** A choice, and its weight beside the others. */
export interface Weighted {
  readonly choice: Choice;
  readonly weight: number;
}

/** Makes the balancer of a policy. Those that go by connections or cookies of a proxy are round robin here. */
export function createBalancer(nodes: readonly Weighted[], policy: string | null, chance: Chance): Balancer {
  const balance: Balance = policy === null ? { kind: "round-robin" } : parseBalance(policy);
  switch (balance.kind) {
    case "ordered":
      return new Ordered(nodes, chance);
    case "random":
      return new Drawn(nodes, chance);
    case "consistent":
      return new Consistent(nodes, chance);
    case "round-robin":
    case "least-connections":
    case "cookie":
      return rotation(nodes, chance);
  }
}

function rotation(nodes: readonly Weighted[], chance: Chance): Balancer {
  return nodes.every(({ weight }) => weight === nodes[0]?.weight)
    ? new Rotation(nodes, chance)
    : new WeightedRotation(nodes, chance);
}

/** Takes a choice if its breaker lets a call through, and says so to the breaker. */
function take(choice: Choice, { monotonicMs }: Chance): boolean {
  const { breaker } = choice;
  if (breaker.isClosed) return true;
  const nowMs = monotonicMs();
  if (!breaker.allows(nowMs)) return false;
  breaker.begin(nowMs);
  return true;
}

/** One after the other. It begins anywhere, so that callers which start together do not all begin with the same node. */
class Rotation implements Balancer {
  readonly choices: readonly Choice[];
  readonly #chance: Chance;
  #at: number;

  constructor(nodes: readonly Weighted[], chance: Chance) {
    this.choices = nodes.map(({ choice }) => choice);
    this.#chance = chance;
    this.#at = Math.floor(chance.random() * nodes.length);
  }

  next(): Choice | null {
    const { choices } = this;
    for (let left = choices.length; left > 0; left--) {
      const choice = choices[this.#at] as Choice;
      this.#at = this.#at + 1 === choices.length ? 0 : this.#at + 1;
      if (take(choice, this.#chance)) return choice;
    }
    return null;
  }
}

/**
 * Round robin over the units of weight of all nodes. It walks over them in steps that are coprime to their number, and
 * near the golden section of it: in each round every unit has its turn once, and those of one node stand far apart.
 */
class WeightedRotation implements Balancer {
  readonly choices: readonly Choice[];
  /** Of each node, where its units end. */
  readonly #ends: readonly number[];
  readonly #total: number;
  readonly #step: number;
  readonly #chance: Chance;
  #at: number;

  constructor(nodes: readonly Weighted[], chance: Chance) {
    this.choices = nodes.map(({ choice }) => choice);
    const unit = nodes.map(({ weight }) => weight).reduce(greatestDivisor, 0);
    let end = 0;
    this.#ends = nodes.map(({ weight }) => (end += weight / unit));
    this.#total = end;
    this.#step = stepFor(end);
    this.#chance = chance;
    this.#at = Math.floor(chance.random() * end);
  }

  next(): Choice | null {
    this.#at = (this.#at + this.#step) % this.#total;
    const { choices } = this;
    let index = firstAbove(this.#ends, this.#at);
    for (let left = choices.length; left > 0; left--) {
      const choice = choices[index] as Choice;
      if (take(choice, this.#chance)) return choice;
      index = index + 1 === choices.length ? 0 : index + 1;
    }
    return null;
  }
}

/** The one that registered first takes all while it can. */
class Ordered implements Balancer {
  readonly choices: readonly Choice[];
  readonly #chance: Chance;

  constructor(nodes: readonly Weighted[], chance: Chance) {
    this.choices = nodes.map(({ choice }) => choice);
    this.#chance = chance;
  }

  next(): Choice | null {
    return this.choices.find((choice) => take(choice, this.#chance)) ?? null;
  }
}

class Drawn implements Balancer {
  readonly choices: readonly Choice[];
  readonly #nodes: readonly Weighted[];
  readonly #chance: Chance;

  constructor(nodes: readonly Weighted[], chance: Chance) {
    this.choices = nodes.map(({ choice }) => choice);
    this.#nodes = nodes;
    this.#chance = chance;
  }

  next(): Choice | null {
    let nodes = this.#nodes;
    while (nodes.length > 0) {
      const drawn = draw(nodes, this.#chance.random());
      if (take(drawn.choice, this.#chance)) return drawn.choice;
      nodes = nodes.filter((node) => node !== drawn);
    }
    return null;
  }
}

/** Rendezvous hashing: a node that leaves moves only its own keys. Without a key it is round robin. */
class Consistent implements Balancer {
  readonly choices: readonly Choice[];
  readonly #nodes: readonly Weighted[];
  readonly #rotation: Balancer;
  readonly #chance: Chance;

  constructor(nodes: readonly Weighted[], chance: Chance) {
    this.choices = nodes.map(({ choice }) => choice);
    this.#nodes = nodes;
    this.#rotation = rotation(nodes, chance);
    this.#chance = chance;
  }

  next(key: string | null): Choice | null {
    if (key === null) return this.#rotation.next(null);
    const scored = this.#nodes.map((node) => ({ ...node, score: scoreOf(node, key) }));
    scored.sort((a, b) => b.score - a.score);
    return scored.find(({ choice }) => take(choice, this.#chance))?.choice ?? null;
  }
}

/** "Weighted distributed hash tables" (Schindelhauer, Schomaker, 2005): weight / -ln(hash). */
function scoreOf({ choice, weight }: Weighted, key: string): number {
  const hash = (xxHash32(`${choice.node.id}|${key}`, 0) + 0.5) / 2 ** 32;
  return weight / -Math.log(hash);
}

function draw(nodes: readonly Weighted[], random: number): Weighted {
  const total = nodes.reduce((sum, { weight }) => sum + weight, 0);
  let at = random * total;
  return nodes.find(({ weight }) => (at -= weight) < 0) ?? (nodes.at(-1) as Weighted);
}

/** The index of the first of ascending numbers that is above `at`. */
function firstAbove(ascending: readonly number[], at: number): number {
  let low = 0;
  let high = ascending.length - 1;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((ascending[middle] as number) > at) high = middle;
    else low = middle + 1;
  }
  return low;
}

const GOLDEN_SECTION = 0.618;

function stepFor(total: number): number {
  for (let step = Math.max(1, Math.round(total * GOLDEN_SECTION)); ; step++)
    if (greatestDivisor(step, total) === 1) return step;
}

function greatestDivisor(a: number, b: number): number {
  return b === 0 ? a : greatestDivisor(b, a % b);
}
