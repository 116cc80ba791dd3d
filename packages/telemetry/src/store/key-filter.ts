const BITS_A_KEY = 16;
const PROBES = 4;
const CAPACITY_MIN = 1_024;

/**
 * Which keys there are, in two bytes each: a Bloom filter. "No" is certain; "yes" is wrong for about one key in 400 that is
 * not there, (1 - e^(-4/16))^4.
 */
export class KeyFilter {
  readonly #bits: Uint8Array;
  readonly #mask: number;
  readonly #capacity: number;
  #count = 0;

  /** @param capacity for so many keys, or up to twice as many. */
  constructor(capacity: number) {
    const bits = 2 ** Math.ceil(Math.log2(Math.max(CAPACITY_MIN, capacity) * BITS_A_KEY));
    this.#bits = new Uint8Array(bits / 8);
    this.#mask = bits - 1;
    this.#capacity = bits / BITS_A_KEY;
  }

  /** Whether more keys would make it say "yes" too often. */
  get isFull(): boolean {
    return this.#count >= this.#capacity;
  }

  add({ first, step }: KeyHashes): void {
    let isNew = false;
    for (let i = 0; i < PROBES; i += 1) {
      const place = (first + Math.imul(step, i)) & this.#mask;
      const byte = this.#bits[place >>> 3] ?? 0;
      const bit = 1 << (place & 7);
      if ((byte & bit) !== 0) continue;
      isNew = true;
      this.#bits[place >>> 3] = byte | bit;
    }
    if (isNew) this.#count += 1;
  }

  /** Whether a key may be there. */
  mayHave({ first, step }: KeyHashes): boolean {
    for (let i = 0; i < PROBES; i += 1) {
      const place = (first + Math.imul(step, i)) & this.#mask;
      if (((this.#bits[place >>> 3] ?? 0) & (1 << (place & 7))) === 0) return false;
    }
    return true;
  }
}

/** What a key is looked for by. */
export interface KeyHashes {
  readonly first: number;
  /** Odd, so that it meets every bit of a power of two. */
  readonly step: number;
}

/** The hashes of a key, for any number of filters. */
export const hashesOf = (key: string): KeyHashes => ({
  first: hashOf(key, 0x81_1c_9d_c5),
  step: hashOf(key, 0x9e_37_79_b9) | 1,
});

/** FNV-1a, with the last step of MurmurHash3, as keys that differ in their last digits alone have to lie apart. */
function hashOf(key: string, seed: number): number {
  let hash = seed;
  for (let i = 0; i < key.length; i += 1) hash = Math.imul(hash ^ key.charCodeAt(i), 0x01_00_01_93);
  hash = Math.imul(hash ^ (hash >>> 16), 0x85_eb_ca_6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2_b2_ae_35);
  return hash ^ (hash >>> 16);
}
