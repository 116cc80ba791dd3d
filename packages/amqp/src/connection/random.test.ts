import { Chance, failure, seeds } from "@datawire/protocol/testing/fuzz";
import { expect, test } from "vitest";
import { RandomPeers } from "../testing/random-peers.ts";

test("Connection and Connection agree on every message, whatever they do and however their bytes are cut", () => {
  let messages = 0;
  for (const seed of seeds({ test: 150, soak: 100_000 })) {
    const peers = new RandomPeers(new Chance(seed));
    try {
      for (let i = 0; i < 400; i++) peers.step();
      peers.finish();
      expectAgreement(peers);
      messages += peers.received.length;
    } catch (error) {
      throw failure(seed, null, error);
    }
  }
  // A test of messages that has none would always pass.
  expect(messages).toBeGreaterThan(1_000);
});

function expectAgreement(peers: RandomPeers): void {
  const { pair, sent, received } = peers;
  // Whatever one of them does the other allows: nothing but what they asked for ever ends anything.
  expect([...pair.clientTold.told, ...pair.serverTold.told].filter((told) => told.includes("amqp:"))).toEqual([]);
  expect(pair.clientTold.end ?? pair.serverTold.end).toBe(null);
  // In order on each link, none twice, none invented.
  for (const link of new Set(received.map((each) => each.link))) {
    const numbers = received.filter((each) => each.link === link).map(({ number }) => number);
    expect(numbers).toEqual(numbers.toSorted((a, b) => a - b));
    expect(new Set(numbers).size).toBe(numbers.length);
    const known = new Set(sent.filter((each) => each.link === link).map(({ number }) => number));
    expect(numbers.filter((number) => !known.has(number))).toEqual([]);
  }
  // On links that stand everything arrived, and every outcome is known.
  const standing = [pair.client, pair.server].flatMap(({ sessions }) => sessions.flatMap(({ links }) => links));
  for (const link of standing.filter(({ attached }) => attached))
    expect([link.name, link.unsettled.size]).toEqual([link.name, 0]);
}
