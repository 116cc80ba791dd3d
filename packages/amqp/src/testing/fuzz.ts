import { Chance } from "@datawire/protocol/testing/chance";
import { splitFrames } from "./frames.ts";
import { mutateFrame, mutateSequence } from "./mutate-frames.ts";
import { RandomPeers } from "./random-peers.ts";

export { mutateFrame, mutateSequence };

const HEADER_BYTES = 8;
const STEPS = 300;

/** What a client wrote in a whole conversation. */
export interface Talk {
  /** Of the protocol. */
  readonly header: Uint8Array;
  readonly frames: readonly Uint8Array[];
}

/** What a client wrote in a random talk, frame by frame; the same for the same seed. */
export function clientTalk(seed: number): Talk {
  const peers = new RandomPeers(new Chance(seed));
  for (let i = 0; i < STEPS; i++) peers.step();
  peers.finish();
  const bytes = Uint8Array.from(peers.written.byClient.flatMap((piece) => [...piece]));
  return { header: bytes.slice(0, HEADER_BYTES), frames: splitFrames(bytes.subarray(HEADER_BYTES)) };
}

/** Some frames of a talk with a few of the last ones mutated: those before make the sessions and links on which they mean something. */
export function mutateFrames(chance: Chance, frames: readonly Uint8Array[]): Uint8Array[] {
  const at = chance.int(frames.length);
  const some = Array.from(frames.slice(0, at + 10));
  for (let i = 1 + chance.int(3); i > 0; i--) {
    const place = Math.min(some.length - 1, at + chance.int(10));
    some[place] = mutateFrame(chance, some[place] ?? new Uint8Array(HEADER_BYTES));
  }
  return some;
}
