import { once } from "node:events";
import { eventually, freePorts } from "@datawire/runtime/testing";
import type rhea from "rhea";
import { afterEach, expect, test } from "vitest";
import { parsePattern } from "@datawire/protocol";
import { DEFAULT_SETTINGS } from "../address/rules.ts";
import { OPEN_ACCESS } from "../access/access.ts";
import { rule } from "../engine/testing/open-broker.ts";
import { RheaReceiver, RheaSender, Served } from "./testing/served.ts";

/** A router with another one as its upstream: what passes from one end to the other. */
const open: Served[] = [];
afterEach(async () => {
  for (const served of open.splice(0)) await served.close();
});

/** @param port where the upstream is, or will be. */
async function startFront(port: number): Promise<Served> {
  const front = await Served.start(
    [
      {
        match: parsePattern("far/**"),
        kind: "link",
        settings: DEFAULT_SETTINGS,
        link: { upstream: "back", rewrite: "$1" },
      },
    ],
    OPEN_ACCESS,
    null,
    [{ name: "back", host: "127.0.0.1", port, isTls: false, vhost: null, user: null, password: null, ca: null }],
  );
  open.unshift(front);
  return front;
}

async function startBoth(): Promise<{ readonly front: Served; readonly back: Served }> {
  const back = await Served.start([rule("nothing/**", {}, "none"), rule("tight", { maxMessages: 2 })]);
  open.push(back);
  return { front: await startFront(back.port), back };
}

test("a message goes to the upstream, and its outcome comes back from there", async () => {
  const { front, back } = await startBoth();
  const connection = await front.connect();
  const receiver = await RheaReceiver.open(await back.connect(), { source: "direct/a" });
  receiver.receiver.add_credit(2);
  const sender = await RheaSender.open(connection, "far/direct/a");
  const one = sender.send({ body: "one" });
  await eventually(() => expect(receiver.bodies).toEqual(["one"]));
  receiver.got[0]?.delivery.reject({ condition: "shop:closed", description: "the shop is closed" });
  expect(await one).toBe("the shop is closed");
  const two = sender.send({ body: "two" });
  await eventually(() => expect(receiver.bodies).toEqual(["one", "two"]));
  receiver.got[1]?.delivery.modified({ delivery_failed: true, undeliverable_here: true });
  // As rhea has it of what is modified.
  expect(await two).toBe("released");
});

test("what a consumer says is heard by the upstream, and settled there first where the consumer settles second", async () => {
  const { front, back } = await startBoth();
  const sender = await RheaSender.open(await back.connect(), "orders");
  for (const body of ["one", "two", "three"]) await sender.send({ body });
  const connection = await front.connect();
  const receiver = await RheaReceiver.open(connection, { source: "far/orders", rcv_settle_mode: 1 });
  const [one, two, three] = await receiver.take(3);
  one?.delivery.accept();
  await once(receiver.receiver, "settled");
  two?.delivery.modified({ delivery_failed: true, undeliverable_here: false });
  const [again] = await receiver.take(1);
  expect(again?.message).toMatchObject({ body: "two", delivery_count: 1 });
  three?.delivery.reject({ condition: "a:b", description: "no" });
  await eventually(() => expect(back.broker.find("dead/orders")).toMatchObject({ kept: { messages: 1 } }));
  expect(back.broker.find("orders")).toMatchObject({ kept: { messages: 1 } });
});

test("a refusal of the upstream is that of the router, and so are credit and drain", async () => {
  const { front, back } = await startBoth();
  const connection = await front.connect();
  await expect(RheaReceiver.open(connection, { source: "far/nothing/x" })).rejects.toThrow(
    "amqp:not-found: Cannot attach to nothing/x",
  );
  const sender = await RheaSender.open(connection, "far/tight");
  await sender.send({ body: "one" });
  await sender.send({ body: "two" });
  await eventually(() => expect(sender.sender.sendable()).toBe(false));
  const receiver = await RheaReceiver.open(connection, { source: "far/tight" });
  receiver.receiver.drain_credit();
  receiver.receiver.add_credit(10);
  await eventually(() => expect(receiver.drained).toBe(1));
  expect(receiver.bodies).toEqual(["one", "two"]);
  for (const { delivery } of receiver.got) delivery.accept();
  await eventually(() => expect(sender.sender.sendable()).toBe(true));
  expect(back.broker.find("tight")).toMatchObject({ kept: { messages: 0 } });
});

test("a link that ends with a message unsettled gives it back, and the relay goes on to the upstream", async () => {
  const { front, back } = await startBoth();
  const connection = await front.connect();
  const relay = await RheaSender.open(connection, { target: {} });
  expect(await relay.send({ to: "far/orders", body: "one" })).toBe("accepted");
  expect(await relay.send({ to: "far/nothing/x", body: "one" })).toContain("Cannot attach to nothing/x");
  const receiver = await RheaReceiver.open(connection, { source: "far/orders" });
  await receiver.take(1);
  receiver.receiver.close();
  const other = await RheaReceiver.open(await back.connect(), { source: "orders" });
  const [again] = await other.take(1);
  expect(again?.message).toMatchObject({ body: "one", delivery_count: 1 });
});

test("links wait without credit while the upstream is away, and go on when it is there", async () => {
  const [port = 0] = await freePorts(1);
  const front = await startFront(port);
  const connection = await front.connect();
  const sender = connection.open_sender("far/orders");
  await once(sender, "sender_open");
  expect(sender.sendable()).toBe(false);
  const receiver = await RheaReceiver.open(connection, { source: "far/orders" });
  receiver.receiver.add_credit(10);
  const back = await Served.start([], OPEN_ACCESS, null, [], port);
  open.push(back);
  await once(sender, "sendable");
  sender.send({ body: "at last" });
  await once(sender, "accepted");
  await eventually(() => expect(receiver.bodies).toEqual(["at last"]));
  expect(connection.is_open()).toBe(true);
});

/** Sends by the relay, and counts what became of all of them. */
function relayed(sender: rhea.Sender) {
  const outcomes = { accepted: 0, released: 0, rejected: 0, why: "" };
  sender.on("accepted", () => void outcomes.accepted++);
  sender.on("released", () => void outcomes.released++);
  sender.on("rejected", ({ delivery }: rhea.EventContext) => {
    outcomes.rejected++;
    const { error } = delivery!.remote_state as { error: { description: string } };
    outcomes.why = error.description;
  });
  return outcomes;
}

test.each(["direct/a", "far/direct/a"])(
  "the relay keeps for %s, whose consumer takes none, what it has room for, and goes on to others",
  async (address) => {
    const { front, back } = await startBoth();
    const { sender } = await RheaSender.open(await front.connect(), { target: {} });
    const outcomes = relayed(sender);
    const where = await (address === "direct/a" ? front : back).connect();
    const receiver = await RheaReceiver.open(where, { source: "direct/a", autoaccept: true });
    // The way is there before so much comes: an upstream that is not found in time has it all given back.
    sender.send({ to: address, body: "first" });
    await receiver.take(1);
    await eventually(() => expect(outcomes.accepted).toBe(1));
    for (let sent = 0; sent < 22; sent++) sender.send({ to: address, body: "x".repeat(900_000) });
    await eventually(() => expect(outcomes).toMatchObject({ accepted: 1, rejected: 4 }));
    expect(outcomes.why).toContain("takes all room");
    sender.send({ to: "orders", body: "x" });
    await eventually(() => expect(outcomes.accepted).toBe(2));
    await receiver.take(18);
    await eventually(() => expect(outcomes).toMatchObject({ accepted: 20, rejected: 4 }));
    sender.send({ to: address, body: "y".repeat(900_000) });
    await receiver.take(1);
    await eventually(() => expect(outcomes).toMatchObject({ accepted: 21, rejected: 4, released: 0 }));
  },
);

test.each(["direct/a", "far/direct/a"])("what the relay keeps for %s ends when its time is over", async (address) => {
  const { front, back } = await startBoth();
  const { sender } = await RheaSender.open(await front.connect(), { target: {} });
  const outcomes = relayed(sender);
  const where = await (address === "direct/a" ? front : back).connect();
  const receiver = await RheaReceiver.open(where, { source: "direct/a", autoaccept: true });
  receiver.receiver.add_credit(1);
  sender.send({ to: address, body: "first" });
  await eventually(() => expect(outcomes.accepted).toBe(1));
  sender.send({ to: address, body: "short", ttl: 20 });
  sender.send({ to: address, body: "by its properties", absolute_expiry_time: new Date(Date.now() + 500) });
  sender.send({ to: address, body: "long", ttl: 600_000 });
  await eventually(() => {
    front.broker.tick();
    expect(outcomes).toMatchObject({ accepted: 1, rejected: 2, released: 0 });
  });
  expect(outcomes.why).toContain("its time was over before");
  receiver.receiver.add_credit(10);
  await eventually(() => expect(outcomes.accepted).toBe(2));
  expect(receiver.bodies).toEqual(["first", "long"]);
});

test("what waits for a consumer ends with the relay that it came by", async () => {
  const { front } = await startBoth();
  const waiting = (await front.connect()).open_sender("direct/a");
  await once(waiting, "sender_open");
  const { sender } = await RheaSender.open(await front.connect(), { target: {} });
  const outcomes = relayed(sender);
  sender.send({ to: "direct/a", body: "lost" });
  sender.send({ to: "orders", body: "x" });
  // In the order of the link: the first one is there.
  await eventually(() => expect(outcomes.accepted).toBe(1));
  sender.close();
  await once(sender, "sender_close");
  const receiver = await RheaReceiver.open(await front.connect(), { source: "direct/a", autoaccept: true });
  receiver.receiver.add_credit(1);
  await once(waiting, "sendable");
  waiting.send({ body: "kept" });
  await eventually(() => expect(receiver.bodies).toEqual(["kept"]));
});
