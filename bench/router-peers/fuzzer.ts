/** A process that sends a router what nobody would send: `fuzzer.ts PORT FRAMES SEQUENCES SEED`. */
import { once } from "node:events";
import { connect } from "node:net";
import { clientTalk, mutateFrames, mutateSequence } from "@datawire/amqp/testing/fuzz";
import { Chance } from "@datawire/protocol/testing/chance";

/** Connections at a time. */
const AT_ONCE = 8;
const TALKS = 20;
/** A router that says nothing to the end of its peer has it still. */
const GIVEN_UP_MS = 30_000;

const [port = 0, frames = 0, sequences = 0, firstSeed = 1] = process.argv.slice(2).map(Number);
const talks = Array.from({ length: TALKS }, (_, seed) => clientTalk(seed));
let next = 0;
await Promise.all(Array.from({ length: AT_ONCE }, work));

async function work(): Promise<void> {
  for (;;) {
    const i = next++;
    if (i >= frames + sequences) return;
    const chance = new Chance(firstSeed + i);
    const { header, frames: valid } = chance.pick(talks);
    const mutated = i < frames ? mutateFrames(chance, valid) : mutateSequence(chance, valid);
    await send(Buffer.concat([header, ...mutated]), i);
  }
}

async function send(bytes: Buffer, i: number): Promise<void> {
  const socket = connect(port, "127.0.0.1");
  const ended = once(socket, "close");
  // It is cut where what came was enough for the router.
  socket.on("error", () => {});
  socket.resume();
  socket.end(bytes);
  const late = setTimeout(() => {
    console.error(`Cannot end connection ${i}: the router has not closed it`);
    process.exit(1);
  }, GIVEN_UP_MS);
  await ended;
  clearTimeout(late);
}
