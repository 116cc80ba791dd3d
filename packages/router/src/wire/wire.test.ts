import { once } from "node:events";
import { encodeMessage } from "@datawire/amqp";
import { eventually } from "@datawire/runtime/testing";
import rhea from "rhea";
import { afterEach, beforeEach, expect, test } from "vitest";
import type { KeptAddress } from "../engine/kept-address.ts";
import { rule } from "../engine/testing/open-broker.ts";
import type { Topic } from "../queue/topic.ts";
import { EngineClient } from "./testing/engine-client.ts";
import { RheaReceiver, RheaSender, Served } from "./testing/served.ts";

let served: Served;
beforeEach(async () => {
  served = await Served.start([
    rule("short", { maxDeliveries: 2 }),
    rule("no/**", {}, "none"),
    rule("tight", { maxMessages: 2 }),
    rule("strict", { maxMessages: 1, overflow: "reject" }),
    rule("ids", { dedupeMs: 60_000 }),
    rule("ruled", {}, "topic"),
    rule("topic/kept", { expired: "dead" }),
  ]);
});
afterEach(() => served.close());

const open = async (address: string | rhea.ReceiverOptions): Promise<RheaReceiver> =>
  RheaReceiver.open(await served.connect(), typeof address === "string" ? { source: address } : address);
const sendTo = async (address: string, ...messages: rhea.Message[]): Promise<string[]> => {
  const sender = await RheaSender.open(await served.connect(), address);
  const outcomes: string[] = [];
  for (const message of messages) outcomes.push(await sender.send(message));
  return outcomes;
};

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

test("a message arrives with everything that it had", async () => {
  const message: rhea.Message = {
    durable: true,
    priority: 7,
    ttl: 60_000,
    message_id: "m1",
    to: "somewhere",
    subject: "s",
    reply_to: "r",
    correlation_id: 7,
    content_type: "text/plain",
    group_id: "g",
    application_properties: { a: 1, b: "two", c: true },
    message_annotations: { "x-opt-mine": "kept" },
    body: { deep: [1, "two", { three: 3 }] },
  };
  expect(await sendTo("orders", message)).toEqual(["accepted"]);
  const [got] = await (await open("orders")).take(1);
  expect(got?.message).toMatchObject(message);
});

test("an outcome decides what becomes of a message", async () => {
  await sendTo("short", ...["a", "b", "c"].map((body) => ({ body, ttl: 60_000 })));
  const receiver = await open("//localhost/short");
  const [a, b, c] = await receiver.take(3);
  a?.delivery.release();
  // rhea says the outcome of the first of two for both, when it says them together.
  await turn();
  b?.delivery.modified({ delivery_failed: true });
  await turn();
  c?.delivery.reject({ condition: "my:reason", description: "it is ugly" });
  const [a2, b2] = await receiver.take(2);
  expect([a2, b2].map((got) => [got?.message.body, got?.message.delivery_count ?? 0, got?.message.ttl])).toEqual([
    ["a", 0, 60_000],
    ["b", 1, 60_000],
  ]);
  a2?.delivery.accept();
  await turn();
  b2?.delivery.modified({ delivery_failed: true });
  const dead = await (await open("dead/short")).take(2);
  const told = dead.map(({ message }) => [
    message.body as unknown,
    message.message_annotations?.["x-opt-datawire-reason"],
    message.message_annotations?.["x-opt-datawire-from"],
  ]);
  expect(told).toEqual([
    ["c", "it is ugly", "short"],
    ["b", "delivered 2 times in vain", "short"],
  ]);
  const at: unknown = dead[0]?.message.message_annotations?.["x-opt-datawire-at"];
  expect(at).toBeInstanceOf(Date);
});

test("a link that ends with messages has failed to deliver them", async () => {
  await sendTo("orders", { body: "a" });
  const first = await open("orders");
  await first.take(1);
  first.receiver.connection.close();
  const [got] = await (await open("orders")).take(1);
  expect([got?.message.body, got?.message.delivery_count]).toEqual(["a", 1]);
});

test("a drain is answered, with messages, without, and at credit 0", async () => {
  const receiver = await open("orders");
  const drain = async (credit: number): Promise<void> => {
    const before = receiver.drained;
    receiver.receiver.drain_credit();
    if (credit > 0) receiver.receiver.add_credit(credit);
    await eventually(() => expect(receiver.drained).toBe(before + 1));
  };
  await drain(0);
  await drain(10);
  await sendTo("orders", { body: "a" });
  receiver.receiver.add_credit(1);
  await eventually(() => expect(receiver.bodies).toEqual(["a"]));
});

test("a topic gives each subscription all messages, with offsets, from where it is asked to", async () => {
  const live = await open("topic/news");
  await sendTo("topic/news", ...["a", "b", "c"].map((body) => ({ body, priority: 3 })));
  const offsets = (got: readonly { message: rhea.Message }[]) =>
    got.map(({ message }) => [
      message.body as unknown,
      message.delivery_annotations?.["x-opt-datawire-offset"],
      message.priority,
    ]);
  const all = [
    ["a", 1, 3],
    ["b", 2, 3],
    ["c", 3, 3],
  ];
  expect(offsets(await live.take(3))).toEqual(all);
  expect(offsets(await (await open("topic/news?from=first")).take(3))).toEqual(all);
  expect(offsets(await (await open("//localhost/topic/news?from=-1")).take(1))).toEqual(all.slice(2));
});

test("a durable subscription is kept by container and link name until it is closed", async () => {
  const options = { name: "log", source: { address: "topic/news", durable: 2, expiry_policy: "never" } };
  const connection = await served.connect("app");
  const first = await RheaReceiver.open(connection, options);
  await sendTo("topic/news", { body: "a" }, { body: "b" });
  const [a] = await first.take(1);
  a?.delivery.accept();
  connection.close();
  await once(connection, "connection_close");
  const again = await RheaReceiver.open(await served.connect("app"), options);
  expect((await again.take(1)).map(({ message }) => message.body as unknown)).toEqual(["b"]);
  again.receiver.close();
  await once(again.receiver, "receiver_close");
  const anew = await RheaReceiver.open(await served.connect("app"), options);
  await sendTo("topic/news", { body: "c" });
  expect((await anew.take(1)).map(({ message }) => message.body as unknown)).toEqual(["c"]);
});

test("a durable subscription is found, and ended, by a link of its name without a source, as JMS does", async () => {
  const options = { name: "log", source: { address: "topic/news", durable: 2, expiry_policy: "never" } };
  const connection = await served.connect("app");
  const { receiver } = await RheaReceiver.open(connection, options);
  receiver.detach();
  await once(receiver, "receiver_close");
  await sendTo("topic/news", { body: "a" });
  await expect(RheaReceiver.open(connection, { name: "other" })).rejects.toThrow("no subscription of its name is kept");
  await expect(RheaReceiver.open(await served.connect("b"), { name: "log" })).rejects.toThrow("amqp:not-found");
  const found = await RheaReceiver.open(connection, { name: "log" });
  expect(found.receiver.source).toMatchObject({ address: "topic/news", durable: 2, expiry_policy: "never" });
  expect(await found.take(1)).toMatchObject([{ message: { body: "a" } }]);
  found.receiver.close();
  await once(found.receiver, "receiver_close");
  await expect(RheaReceiver.open(connection, { name: "log" })).rejects.toThrow("amqp:not-found");
});

test("a durable subscription with another topic or another selector ends the one of its name, as in JMS", async () => {
  const source = (address: string, selector?: string) => ({
    name: "log",
    source: {
      address,
      durable: 2 as const,
      expiry_policy: "never",
      ...(selector !== undefined && { filter: rhea.filter.selector(selector) }),
    },
  });
  const subscriptionsOf = (name: string): number => {
    const { kept } = served.broker.find(name) as KeptAddress;
    return (kept as Topic).subscriptions.size;
  };
  const connection = await served.connect("app");
  const first = await RheaReceiver.open(connection, source("topic/one", "JMSType = 'x'"));
  const reopen = async (options: rhea.ReceiverOptions): Promise<RheaReceiver> => {
    connection.close();
    return RheaReceiver.open(await served.connect("app"), options);
  };
  expect(first.receiver.source).toMatchObject({ address: "topic/one" });
  // With the same selector it is the same one, and without any, or with another, a new one.
  await sendTo("topic/one", { body: "a", subject: "x" }, { body: "b" });
  const same = await reopen(source("topic/one", "JMSType = 'x'"));
  expect(await same.take(1)).toMatchObject([{ message: { body: "a" } }]);
  const other = await reopen(source("topic/one"));
  await sendTo("topic/one", { body: "c" });
  expect(await other.take(1)).toMatchObject([{ message: { body: "c" } }]);
  await eventually(() => expect(same.receiver.error).toMatchObject({ condition: "amqp:link:stolen" }));
  expect(subscriptionsOf("topic/one")).toBe(1);
  // At another topic it is the only one of its name, which is found by that alone, with its selector.
  const moved = await reopen(source("topic/two", "JMSType = 'y'"));
  expect(subscriptionsOf("topic/one")).toBe(0);
  moved.receiver.detach();
  await once(moved.receiver, "receiver_close");
  await sendTo("topic/two", { body: "d" }, { body: "e", subject: "y" });
  const found = await reopen({ name: "log" });
  expect(found.receiver.source).toMatchObject({ address: "topic/two" });
  expect(await found.take(1)).toMatchObject([{ message: { body: "e" } }]);
});

test.each([
  ["orders", "topic", "queue"],
  ["topic/news", "queue", "topic"],
  ["ruled", "queue", "topic"],
])("%s is not attached to as a %s, as it is a %s", async (address, capability, kind) => {
  const connection = await served.connect();
  if (address !== "ruled") await RheaReceiver.open(connection, { source: address });
  const as = (capabilities: string | string[]) => ({ address, capabilities });
  const why = `amqp:not-allowed: Cannot attach to ${address} as a ${capability}: it is a ${kind}`;
  await expect(RheaSender.open(connection, { target: as(capability) })).rejects.toThrow(why);
  await expect(RheaReceiver.open(connection, { source: as([capability]) })).rejects.toThrow(why);
  for (const right of [kind, ["queue", "topic"]]) await RheaSender.open(connection, { target: as(right) });
});

test("a direct address is a queue or a topic as JMS wants it, and dead letters are one", async () => {
  const connection = await served.connect();
  (await RheaReceiver.open(connection, { source: "direct/a" })).receiver.add_credit(1);
  for (const capabilities of ["queue", "topic"])
    await RheaSender.open(connection, { target: { address: "direct/a", capabilities } });
  const dead = { source: { address: "dead/orders", capabilities: "topic" } };
  await expect(RheaReceiver.open(connection, dead)).rejects.toThrow("it is a queue");
});

test.each(["orders", "topic/news"])(
  "a link at %s gets no message larger than it takes, which is another one's",
  async (at) => {
    const source = { address: at, durable: 2, expiry_policy: "never" } as const;
    const options = { name: "small", source, max_message_size: 100 };
    const { receiver } = await RheaReceiver.open(await served.connect("app"), options);
    const ended = once(receiver, "receiver_error");
    receiver.add_credit(2);
    await sendTo(at, { body: "x".repeat(200) });
    await ended;
    expect(receiver.error).toMatchObject({ condition: "amqp:link:message-size-exceeded" });
    const large = await RheaReceiver.open(await served.connect("app"), { name: "small", source });
    expect(await large.take(1)).toMatchObject([{ message: { body: "x".repeat(200) } }]);
    expect(large.got[0]?.message.delivery_count ?? 0).toBe(0);
  },
);

test("a dynamic address takes answers by the relay, and is gone with its link", async () => {
  const dynamic = { dynamic: true } as rhea.Source;
  const asking = await RheaReceiver.open(await served.connect(), { source: dynamic });
  const { address } = asking.receiver.source;
  expect(address).toMatch(/^\$temp\//);
  const serving = await open("questions");
  await sendTo("questions", { body: "?", reply_to: address, correlation_id: "1" });
  const [question] = await serving.take(1);
  const relay = await RheaSender.open(await served.connect(), { target: {} });
  expect(await relay.send({ to: question?.message.reply_to ?? "", correlation_id: "1", body: "!" })).toBe("accepted");
  expect((await asking.take(1)).map(({ message }) => [message.body as unknown, message.correlation_id])).toEqual([
    ["!", "1"],
  ]);
  asking.receiver.close();
  await once(asking.receiver, "receiver_close");
  expect(await relay.send({ to: address, body: "late" })).toMatch(/Cannot attach to \$temp.*there is none/);
});

test.each(["topic", "temporary-topic"])(
  "a dynamic address with the capability %s gives each message to every consumer",
  async (capability) => {
    const connection = await served.connect("app");
    const dynamic = { address: "", dynamic: true, capabilities: capability };
    const { sender } = await RheaSender.open(connection, { target: dynamic });
    const { address } = sender.target as { address: string };
    const receivers = [await open(address), await open({ source: { address, capabilities: capability } })];
    const mine = await RheaReceiver.open(connection, { source: dynamic });
    expect(await sendTo(address, { body: "to all" })).toEqual(["accepted"]);
    expect(await sendTo(mine.receiver.source.address, { body: "mine" })).toEqual(["accepted"]);
    for (const receiver of receivers) expect(await receiver.take(1)).toMatchObject([{ message: { body: "to all" } }]);
    expect(await mine.take(1)).toMatchObject([{ message: { body: "mine" } }]);
  },
);

test("the relay rejects what may not go where it says", async () => {
  const relay = await RheaSender.open(await served.connect(), { target: {} });
  expect(await relay.send({ body: "x" })).toContain("it does not say where to");
  expect(await relay.send({ to: "no/such", body: "x" })).toContain("a rule of the router says that there is none");
  expect(await relay.send({ to: "a b", body: "x" })).toContain('Cannot use "a b" as an address');
  expect(await relay.send({ to: "strict", body: "x" })).toBe("accepted");
  expect(await relay.send({ to: "strict", body: "x" })).toContain("max_messages");
});

test("a selector takes what it says, of properties and headers", async () => {
  const filter = rhea.filter.selector("colour = 'red' AND JMSPriority > 4");
  const receiver = await open({ source: { address: "orders", filter } });
  const message = (body: string, colour: string, priority: number) => ({
    body,
    priority,
    application_properties: { colour },
  });
  await sendTo(
    "orders",
    message("a", "blue", 9),
    message("b", "red", 1),
    message("c", "red", 9),
    message("d", "red", 5),
  );
  expect((await receiver.take(2)).map(({ message: { body } }) => body as unknown)).toEqual(["c", "d"]);
  expect((await (await open("orders")).take(2)).map(({ message: { body } }) => body as unknown)).toEqual(["a", "b"]);
});

test("a selector finds the properties of JMS where AMQP has them", async () => {
  const body = "it";
  const full = {
    body,
    durable: true,
    priority: 7,
    message_id: "id-1",
    correlation_id: "c-1",
    subject: "kind",
    group_id: "g",
    group_sequence: 3,
    user_id: "bob",
    reply_to: "answers",
    creation_time: new Date(5_000),
  };
  const conditions = [
    "JMSPriority = 7 AND JMSDeliveryMode = 'PERSISTENT'",
    "JMSMessageID = 'id-1' AND JMSCorrelationID = 'c-1'",
    "JMSType = 'kind' AND JMSReplyTo = 'answers' AND JMSTimestamp = 5000",
    "JMSXGroupID = 'g' AND JMSXGroupSeq = 3 AND JMSXUserID = 'bob' AND JMSXDeliveryCount = 1",
  ];
  for (const [i, condition] of conditions.entries()) {
    const receiver = await open({ source: { address: `jms/${i}`, filter: rhea.filter.selector(condition) } });
    await sendTo(`jms/${i}`, { body: "other" }, full);
    expect((await receiver.take(1)).map(({ message }) => message.body as unknown)).toEqual([body]);
  }
});

test.each([
  [{ source: "no/such" }, "amqp:not-found: Cannot attach to no/such: a rule"],
  [{ source: "a//b" }, 'amqp:invalid-field: Cannot use "a//b" as an address'],
  [{ source: "$management" }, "amqp:not-found: Cannot attach to $management"],
  [
    { source: { address: "q", filter: rhea.filter.selector("a =") } },
    'amqp:invalid-field: Cannot use the selector "a ="',
  ],
])("a consumer that asks for %j is told %s", async (options, why) => {
  await expect(open(options as rhea.ReceiverOptions)).rejects.toThrow(why);
});

test("a browser sees what waits, and takes nothing", async () => {
  await sendTo("orders", { body: "a" }, { body: "b" });
  const source = { address: "orders", distribution_mode: "copy" } as unknown as rhea.Source;
  const browser = await open({ source });
  browser.receiver.add_credit(10);
  await eventually(() => expect(browser.bodies).toEqual(["a", "b"]));
  for (const { delivery } of browser.got) delivery.accept();
  await sendTo("orders", { body: "c" });
  await eventually(() => expect(browser.bodies).toEqual(["a", "b", "c"]));
  browser.receiver.drain_credit();
  await eventually(() => expect(browser.drained).toBe(1));
  const consumer = await open("orders");
  expect((await consumer.take(3)).map(({ message }) => message.body as unknown)).toEqual(["a", "b", "c"]);
});

test("transactions are refused", async () => {
  const client = await EngineClient.connect(served.port);
  client.attachSender("txn", { target: { type: "coordinator" } });
  await eventually(() =>
    expect(client.ends).toMatchObject([{ closed: true, error: { condition: "amqp:not-implemented" } }]),
  );
  client.connection.close();
});

test("a sender that sends without credit is detached, and its connection lives on", async () => {
  const client = await EngineClient.connect(served.port);
  const sender = client.attachSender("greedy", { target: { address: "direct/nobody" } });
  await eventually(() => expect(sender.state).toBe("attached"));
  sender.credit = 1;
  sender.send(encodeMessage({ body: { type: "value", value: "x" } }));
  await eventually(() =>
    expect(client.ends).toMatchObject([{ error: { condition: "amqp:link:transfer-limit-exceeded" } }]),
  );
  const other = client.attachSender("modest", { target: { address: "orders" } });
  await eventually(() => expect(other.credit).toBeGreaterThan(0));
  client.connection.close();
});

test("a message whose annotations are none is rejected, wherever it goes, and nobody else notices", async () => {
  const client = await EngineClient.connect(served.port);
  const receiver = await open("topic/news");
  receiver.receiver.add_credit(10);
  const sender = client.attachSender("odd", { target: { address: "topic/news" } });
  await eventually(() => expect(sender.canSend()).toBe(true));
  const body = encodeMessage({ body: { type: "value", value: "x" } });
  for (const section of [0x71, 0x72]) {
    // Annotations that are a text, and a map with a number for a key.
    for (const odd of [
      [0xa1, 1, 97],
      [0xc1, 5, 2, 0x54, 1, 0x54, 2],
    ]) {
      const delivery = sender.send(Buffer.concat([Buffer.from([0, 0x53, section, ...odd]), body]));
      await eventually(() =>
        expect(delivery?.state).toMatchObject({ type: "rejected", error: { condition: "amqp:decode-error" } }),
      );
    }
  }
  const good = sender.send(body);
  await eventually(() => expect(good?.state).toMatchObject({ type: "accepted" }));
  await eventually(() => expect(receiver.bodies).toEqual(["x"]));
  client.connection.close();
});

test("a message that is none is rejected, and one that is too large ends its link", async () => {
  const client = await EngineClient.connect(served.port);
  const sender = client.attachSender("odd", { target: { address: "orders" } });
  await eventually(() => expect(sender.canSend()).toBe(true));
  const delivery = sender.send(Buffer.from("no message"));
  await eventually(() =>
    expect(delivery?.state).toMatchObject({ type: "rejected", error: { condition: "amqp:decode-error" } }),
  );
  sender.send(Buffer.alloc(1_100_000));
  await eventually(() =>
    expect(client.ends).toMatchObject([{ error: { condition: "amqp:link:message-size-exceeded" } }]),
  );
  client.connection.close();
});

test("an address at its bound gives no credit, and again when a message is taken", async () => {
  const connection = await served.connect();
  const { sender } = await RheaSender.open(connection, "tight");
  const credit = (): unknown => (sender as unknown as { readonly credit: number }).credit;
  expect(credit()).toBe(2);
  for (const body of ["a", "b"]) sender.send({ body });
  await eventually(() => expect(sender.sendable()).toBe(false));
  const [a] = await (await open("tight")).take(1);
  a?.delivery.accept();
  await eventually(() => expect(credit()).toBe(1));
});

test("a copy of a message is accepted and dropped", async () => {
  const of = (sequence: number) => ({
    body: sequence,
    message_annotations: { "x-opt-datawire-producer": "p", "x-opt-datawire-sequence": rhea.types.wrap_ulong(sequence) },
  });
  expect(await sendTo("orders", of(1), of(2), of(1), of(2), of(3))).toEqual(Array(5).fill("accepted"));
  expect((await (await open("orders")).take(3)).map(({ message }) => message.body as unknown)).toEqual([1, 2, 3]);
  await sendTo("ids", { message_id: "x", body: "a" }, { message_id: "x", body: "b" }, { message_id: 1, body: "c" });
  expect((await (await open("ids")).take(2)).map(({ message }) => message.body as unknown)).toEqual(["a", "c"]);
});

test("what has expired does not arrive", async () => {
  await sendTo("orders", { body: "short", ttl: 1 }, { body: "long", ttl: 60_000 });
  await new Promise((resolve) => setTimeout(resolve, 5));
  expect((await (await open("orders")).take(1)).map(({ message }) => message.body as unknown)).toEqual(["long"]);
});

test("what ends by its properties does not arrive behind that, nor what has ended before it came", async () => {
  const in60s = Date.now() + 60_000;
  await sendTo(
    "orders",
    { body: "over", absolute_expiry_time: new Date(Date.now() - 1_000) },
    { body: "soon", absolute_expiry_time: new Date(Date.now() + 30), ttl: 60_000 },
    { body: "later", absolute_expiry_time: new Date(in60s) },
    { body: "much later", absolute_expiry_time: new Date(in60s + 400 * 86_400_000) },
  );
  await sendTo("topic/kept", { body: "over", absolute_expiry_time: new Date(1) });
  await eventually(() => expect(served.broker.nowMs()).toBeGreaterThan(in60s - 60_000 + 100));
  const got = await (await open("orders")).take(2);
  expect(got.map(({ message }) => message.body as unknown)).toEqual(["later", "much later"]);
  expect(served.broker.find("orders")).toMatchObject({ counters: { in: 4, expired: 2 } });
  const [dead] = await (await open("dead/topic/kept")).take(1);
  expect(dead?.message).toMatchObject({ body: "over", message_annotations: { "x-opt-datawire-reason": "expired" } });
  (await open("direct/now")).receiver.add_credit(1);
  await expect(sendTo("direct/now", { body: "over", absolute_expiry_time: new Date(1) })).resolves.toEqual([
    "Cannot pass a message on at direct/now: its absolute-expiry-time was over before it came",
  ]);
});

test("a receiver that settles second hears when its word is safe; one that is sent presettled has no say", async () => {
  await sendTo("orders", { body: "a" }, { body: "b" });
  const second = await open({ source: "orders", rcv_settle_mode: 1 });
  const [a] = await second.take(1);
  const heard = once(second.receiver, "settled");
  a?.delivery.accept();
  await heard;
  const pre = await open({ source: "orders", snd_settle_mode: 1 });
  const [b] = await pre.take(1);
  expect(b?.delivery.remote_settled).toBe(true);
  const address = served.broker.find("orders");
  expect(address !== null && "kept" in address && address.kept.messages).toBe(0);
});

test("a direct address passes outcomes end to end, and gives credit while a consumer does", async () => {
  const sender = (await served.connect()).open_sender("direct/x");
  await once(sender, "sender_open");
  expect(sender.sendable()).toBe(false);
  const receiver = await open("direct/x");
  receiver.receiver.add_credit(2);
  await once(sender, "sendable");
  sender.send({ body: "a" });
  await eventually(() => expect(receiver.bodies).toEqual(["a"]));
  const error = { condition: "my:reason", description: "no", info: { why: 7 } };
  receiver.got[0]?.delivery.reject(error);
  const [context] = (await once(sender, "rejected")) as [rhea.EventContext];
  expect(context.delivery?.remote_state).toMatchObject({ error });
  sender.send({ body: "b" });
  await eventually(() => expect(receiver.bodies).toEqual(["a", "b"]));
  const modified = { undeliverable_here: true, message_annotations: { "x-opt-why": "full" } };
  receiver.got[1]?.delivery.modified(modified);
  const [second] = (await once(sender, "modified")) as [rhea.EventContext];
  expect(second.delivery?.remote_state).toMatchObject(modified);
});

test("a large message passes in many frames", async () => {
  const body = Buffer.alloc(500_000, 7);
  expect(await sendTo("orders", { body: rhea.message.data_section(body) })).toEqual(["accepted"]);
  const [got] = await (await open("orders")).take(1);
  const arrived = got?.message.body as { readonly content: Buffer } | undefined;
  expect(arrived?.content.equals(body)).toBe(true);
});
