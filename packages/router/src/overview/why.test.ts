import { Chance } from "@datawire/protocol/testing/chance";
import { createFakeClock } from "@datawire/runtime/testing";
import { expect, test } from "vitest";
import { settled, TestReceiver, TestSender } from "../engine/testing/links.ts";
import { openBroker } from "../engine/testing/open-broker.ts";
import { SimulatedDisk } from "../log/testing/simulated-disk.ts";
import { type Facts, type LinkStatus, linkStatuses } from "./links.ts";
import { queueOf, queuesOf, type QueueStatus } from "./queues.ts";
import { RateBook } from "./rates.ts";
import { why } from "./why.ts";

const FULL: QueueStatus = {
  address: "orders",
  kind: "queue",
  state: "full",
  reason: "disk-full",
  messages: 3_000,
  bytes: 3_000_000,
  unsettled: 1_200,
  oldestMs: 10_000,
  senders: 1,
  consumers: 1,
  dead: 0,
  unread: 0,
  inPerS: 0,
  outPerS: 0,
};

const CONSUMER: Facts = {
  router: "vm101",
  container: "biller",
  user: null,
  peer: "127.0.0.1:40000",
  link: "orders",
  direction: "out",
  address: "orders",
  credit: 100,
  unsettled: 0,
  delivered: 1_200,
  oldestUnsettledMs: null,
  version: null,
  heldBackBy: null,
  lag: 1_800,
};

test.each([
  [null, "idle", "what is there goes on to consumers"],
  [
    "disk-full",
    "stalled",
    "consumers that have rejected so many messages that more would not fit into memory get no more",
  ],
] as const)(
  "why() says of a full disk what becomes of a consumer that is held back by %s",
  (heldBackBy, state, text) => {
    const links: LinkStatus[] = linkStatuses([{ ...CONSUMER, heldBackBy }], [FULL]);
    expect(links).toMatchObject([{ state, reason: heldBackBy }]);
    const told = why("orders", { queues: [FULL], links, problems: [] });
    expect(told.text).toBe(`the disk takes nothing, so senders have no credit; ${text}`);
  },
);

test("why() says of a full topic that a durable subscription has to read", () => {
  const topic: QueueStatus = { ...FULL, address: "topic/news", kind: "topic", reason: "limit" };
  const told = why("topic/news", { queues: [topic], links: [], problems: [] });
  expect(told.text).toContain("as a durable subscription has not read them (`dw topic show` has which)");
  const queue = why("orders", { queues: [{ ...FULL, reason: "limit" }], links: [], problems: [] });
  expect(queue.text).toContain("until consumers take some");
});

test("why() says of a topic what a durable subscription without a consumer has to read", async () => {
  const broker = await openBroker(new SimulatedDisk(new Chance(1)).boot(), createFakeClock());
  const sources = { broker, upstreams: { addresses: [] }, rates: new RateBook(), nowMs: broker.nowMs };
  const told = () => why("topic/news", { queues: queueOf("topic/news", sources), links: [], problems: [] });
  expect(told().kind).toBeNull();
  const reader = new TestReceiver(broker, "topic/news", { subscription: "reader" });
  const sender = new TestSender(broker, "topic/news");
  expect(told().text).toBe("nothing waits there");
  reader.source.detach(false);
  for (const text of ["a", "b", "c"]) sender.send(text);
  await settled();
  expect(told().text).toContain("a durable subscription without a consumer has 3 messages to read");
  expect(queueOf("topic/news", sources)).toEqual(queuesOf(sources));
  const again = new TestReceiver(broker, "topic/news", { subscription: "reader" });
  await settled();
  expect(again.texts).toEqual(["a", "b", "c"]);
  expect(told().text).toBe("nothing waits; consumers have 3 that they have not settled");
});
