import type { MdkNode } from "./wire.ts";

/** A node that was left out, and why. */
export interface LeftOutNode {
  readonly service: string;
  readonly address: string;
  readonly environment: string;
  readonly message: string;
}

/** Of how many nodes of a process it is told that they were left out. */
const KEPT_MAX = 100;

/** The nodes of one original that were left out, each with why. */
export class LeftOutNodes {
  readonly #usual: string;
  readonly #kept = new Map<string, LeftOutNode>();

  /** @param usual the environment of a node that names none. */
  constructor(usual: string) {
    this.#usual = usual;
  }

  /** Returns whether that is news: an original says the same every few seconds. */
  add(node: MdkNode, message: string): boolean {
    const key = keyOf(node);
    const isNews = this.#kept.get(key)?.message !== message;
    if (!isNews || (this.#kept.size >= KEPT_MAX && !this.#kept.has(key))) return false;
    const { service, address, environment } = node;
    this.#kept.set(key, { service, address, environment: environment?.name ?? this.#usual, message });
    return true;
  }

  /** The node is taken now, or is no more. */
  settle(node: MdkNode): void {
    this.#kept.delete(keyOf(node));
  }

  list(): LeftOutNode[] {
    return [...this.#kept.values()];
  }
}

const keyOf = ({ service, address, environment }: MdkNode): string =>
  `${environment?.name ?? ""}\n${service}\n${address}`;
