import { deadNameOf, isDeadName, plainName, scopedName, tenantOf } from "../address/scope.ts";

/** Addresses that are kept by another process than their hash says, as they were before there were so many. */
export type Exceptions = readonly (readonly [name: string, index: number])[];

const TEMPORARY = /^\$temp\/(\d+)-/;

/** Which process is the home of an address. An address and its dead letters have the same one. */
export class Homes {
  readonly #count: number;
  readonly #exceptions: ReadonlyMap<string, number>;

  constructor(count: number, exceptions: Exceptions = []) {
    this.#count = count;
    this.#exceptions = new Map(exceptions);
  }

  /** Null: it is wherever somebody asks for it, as what the router itself has. */
  of(name: string): number | null {
    if (name.startsWith("$")) {
      const [, index] = TEMPORARY.exec(name) ?? [];
      return index === undefined ? null : Number(index);
    }
    const base = baseOf(name);
    return this.#exceptions.get(base) ?? this.byHash(base);
  }

  /** Where a new address is made. */
  byHash(name: string): number {
    return hash(baseOf(name)) % this.#count;
  }
}

/** The address whose dead letters these are, or the address itself. */
export function baseOf(name: string): string {
  return isDeadName(name) ? scopedName(tenantOf(name), plainName(name).slice(DEAD_LENGTH)) : name;
}

/** What begins the name of an address that is made for a link of a process. */
export const temporaryPrefix = (index: number): string => `${index}-`;

const DEAD_LENGTH = deadNameOf("x").length - 1;

/** FNV-1a; the same in every version, as what is on disk is found by it. */
function hash(text: string): number {
  let value = 0x811c_9dc5;
  for (let at = 0; at < text.length; at++) value = Math.imul(value ^ text.charCodeAt(at), 0x0100_0193) >>> 0;
  // Its low bits differ little between names that differ in their last letter alone.
  return (value ^ (value >>> 15)) >>> 0;
}
