import { Chance } from "@datawire/protocol/testing/chance";
import { createFakeClock } from "@datawire/runtime/testing";
import { expect, test } from "vitest";
import type { Broker } from "../engine/broker.ts";
import { settled, TestReceiver, TestSender } from "../engine/testing/links.ts";
import { openBroker } from "../engine/testing/open-broker.ts";
import { SimulatedDisk } from "../log/testing/simulated-disk.ts";
import { tried } from "./trial.ts";

const nowhere = { to: null, settings: new Map<string, string>() };
const none = (): boolean => false;

/** Three messages in `orders`, of which a consumer has one; one dead letter of it; two at a topic. */
async function filled(): Promise<Broker> {
  const broker = await openBroker(new SimulatedDisk(new Chance(1)).boot(), createFakeClock());
  for (const text of ["a", "b", "c"]) new TestSender(broker, "orders").send(text);
  new TestSender(broker, "dead/orders").send("bad");
  for (const text of ["x", "y"]) new TestSender(broker, "topic/news").send(text);
  await settled();
  const consumer = new TestReceiver(broker, "orders", { credit: 1 });
  await settled();
  expect(consumer.texts).toEqual(["a"]);
  return broker;
}

test.each([
  ["queue-purge", "orders", null, { purged: 2 }],
  ["queue-purge", "topic/news", null, { purged: 2 }],
  ["queue-move", "orders", "elsewhere", { moved: 2 }],
  ["dead-retry", "orders", null, { moved: 1 }],
  ["dead-drop", "orders", null, { purged: 1 }],
  ["dead-drop", "others", null, { purged: 0 }],
  ["queue-remove", "orders", null, { removed: "orders", messages: 3 }],
  ["topic-remove", "topic/news", null, { removed: "topic/news", messages: 2 }],
])("tried() says what %s of %s to %s would do, and does nothing", async (operation, address, to, answer) => {
  const broker = await filled();
  const before = [...broker.kept].map(({ name, kept }) => [name, kept.messages]);
  expect(tried(broker, [`try:${operation}`, address, { ...nowhere, to }], none)).toEqual({ ...answer, changed: false });
  await settled();
  expect([...broker.kept].map(({ name, kept }) => [name, kept.messages])).toEqual(before);
});

test.each([
  ["refuse", 2, 1],
  ["reject", 2, 1],
  ["refuse", 1, 0],
  ["drop-oldest", 1, 2],
] as const)(
  "tried() says how many messages fit where overflow is %s and max_messages %i",
  async (overflow, max, moved) => {
    const broker = await filled();
    new TestSender(broker, "small").send("there");
    await settled();
    const small = broker.queue("small");
    small.configure({ ...small.settings, maxMessages: max, overflow });
    const answer = { moved, changed: false };
    expect(tried(broker, ["try:queue-move", "orders", { ...nowhere, to: "small" }], none)).toEqual(answer);
  },
);

test.each([
  ["try:queue-purge", "others", null, "Cannot find others: there is no such queue or topic"],
  ["try:queue-purge", null, null, "the question names no address"],
  ["try:queue-move", "orders", "topic/news", "Cannot use topic/news for that: it is no queue"],
  ["try:queue-remove", "topic/news", null, "Cannot use topic/news as a queue: it is a topic"],
  ["try:queue-list", null, null, 'Cannot try "queue-list"'],
])("tried() refuses %s of %s to %s as the operation itself does", async (operation, address, to, message) => {
  const broker = await filled();
  expect(() => tried(broker, [operation, address, { ...nowhere, to }], none)).toThrow(message);
});

test("tried() leaves all else to those who do it, and a queue of another process to that", async () => {
  const broker = await filled();
  expect(tried(broker, ["queue-purge", "orders", nowhere], none)).toBeUndefined();
  const moved = tried(broker, ["try:queue-move", "orders", { ...nowhere, to: "topic/news" }], () => true);
  expect(moved).toEqual({ moved: 2, changed: false });
});
