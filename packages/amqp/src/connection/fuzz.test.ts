import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { Chance, failure, type Runs, seeds } from "@datawire/protocol/testing/fuzz";
import { expect, test } from "vitest";
import { Sections } from "../messages/sections.ts";
import { createSaslServer } from "../sasl/mechanisms.ts";
import { toHex } from "../testing/frames.ts";
import { clientTalk, mutateFrame, mutateFrames, mutateSequence } from "../testing/fuzz.ts";
import { Recorder } from "../testing/pair.ts";
import { Connection } from "./connection.ts";

const OUTPUT_BYTES_MAX = 2_000_000;
const HEAP_BYTES_MAX = 200_000_000;
const hello = new TextEncoder().encode("hello");
const saslServer = createSaslServer({
  plain: (user, _, answer) => answer(user),
  scram: { find: (_, answer) => answer(null), nonce: () => "nonce-of-the-server", secret: hello },
  anonymous: "anonymous",
});

setFlagsFromString("--expose-gc");
const collect = runInNewContext("gc") as () => void;

/** What this process holds, without the garbage of other tests that nobody has collected yet. */
function heldBytes(): number {
  collect();
  return process.memoryUsage().heapUsed;
}

/** Made once for many inputs. */
const talks = Array.from({ length: 20 }, (_, seed) => clientTalk(seed));

/** A server that does all that a router does with a peer. */
function makeServer(withSasl: boolean): { server: Connection; told: Recorder } {
  const told = new Recorder();
  const server = new Connection(
    { role: "server", open: { containerId: "server" }, saslRequired: false, ...(withSasl && { saslServer }) },
    told,
    0,
  );
  const sections = new Sections();
  told.onLinkAsked = (link) => {
    link.accept({ maxMessageSize: 100_000 });
    if (link.isReceiver) link.setCredit(20);
  };
  told.onDelivered = (delivery) => {
    if (!sections.scan(delivery.message)) return delivery.reject(sections.why ?? undefined);
    delivery.receiver.keepCredit(20);
    delivery.accept();
  };
  told.onFlow = (sender) => {
    for (let i = 0; i < 5 && sender.canSend(); i++) sender.send(hello);
    if (sender.drain) sender.drained();
  };
  return { server, told };
}

/** Gives a server all frames in pieces of any size. Throws where it throws, or says more than it should. */
function attempt(chance: Chance, header: Uint8Array, frames: readonly Uint8Array[]): void {
  const { server, told } = makeServer(chance.once(4));
  let said = 0;
  let nowMs = 0;
  const take = (): void => {
    said += server.takeOutput(nowMs)?.length ?? 0;
  };
  for (const bytes of [header, ...frames]) {
    nowMs += chance.int(100);
    const cut = chance.int(bytes.length + 1);
    server.receive(bytes.subarray(0, cut), nowMs);
    if (chance.once(3)) take();
    if (cut < bytes.length) server.receive(bytes.subarray(cut), nowMs);
    if (chance.once(50)) server.setCongested(chance.once(2));
    server.tick(nowMs);
  }
  take();
  server.disconnected();
  expect(told.told.filter((each) => each.startsWith("closed"))).toHaveLength(1);
  expect(said).toBeLessThan(OUTPUT_BYTES_MAX);
}

function attemptAll(
  runs: Runs,
  mutate: (chance: Chance, frames: readonly Uint8Array[]) => readonly Uint8Array[],
): void {
  const before = heldBytes();
  for (const seed of seeds(runs)) {
    const chance = new Chance(seed);
    const { header, frames } = chance.pick(talks);
    const input = mutate(chance, frames);
    try {
      attempt(chance, chance.once(50) ? mutateFrame(chance, header) : header, input);
    } catch (error) {
      throw failure(seed, input.map(toHex), error);
    }
  }
  expect(heldBytes() - before).toBeLessThan(HEAP_BYTES_MAX);
}

test("Connection lives through mutated frames", () => {
  attemptAll({ test: 1_500, soak: 1_000_000 }, mutateFrames);
});

test("Connection lives through mutated sequences of frames", () => {
  attemptAll({ test: 500, soak: 100_000 }, (chance, frames) => {
    const others = chance.once(4) ? chance.pick(talks).frames : [];
    return mutateSequence(chance, [...frames, ...others]);
  });
});
