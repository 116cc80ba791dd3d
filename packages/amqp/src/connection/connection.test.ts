import { expect, test } from "vitest";
import type { Receiver } from "../link/receiver.ts";
import type { Sender } from "../link/sender.ts";
import { anonymousClient, createSaslServer, plainClient } from "../sasl/mechanisms.ts";
import { scramClient } from "../sasl/scram.ts";
import { deriveScramCredentials } from "../sasl/scram-crypto.ts";
import { frame, performative, splitFrames, toHex } from "../testing/frames.ts";
import { makePair, type Pair, type PairOptions } from "../testing/pair.ts";

const hello = new TextEncoder().encode("hello");
const TARGET = { source: {}, target: { address: "orders" } };
const SOURCE = { source: { address: "orders" }, target: {} };

/** A client that sends to a server, which gives the credit that a test wants. */
function sending(credit: number, options: PairOptions = {}): Pair & { sender: Sender; receiver: () => Receiver } {
  const pair = makePair(options);
  let receiver: Receiver | null = null;
  pair.serverTold.onLinkAsked = (link) => {
    link.accept(link.isReceiver ? { maxMessageSize: 1_000_000 } : {});
    if (!link.isReceiver) return;
    receiver = link;
    link.setCredit(credit);
  };
  const sender = pair.client.begin().attachSender("s", TARGET);
  pair.settle();
  return { ...pair, sender, receiver: () => receiver! };
}

test("Connection passes messages from a client to a server, and their outcomes back", () => {
  const { client, clientTold, serverTold, settle, sender } = sending(10);
  expect(sender.credit).toBe(10);
  for (let i = 0; i < 3; i++) sender.send(hello);
  settle();
  client.close();
  settle();
  const delivered = ["delivered s 5", "delivered s 5", "delivered s 5"];
  const accepted = ["accepted 0 settled", "accepted 1 settled", "accepted 2 settled"];
  expect(serverTold.told).toEqual([
    "opened client",
    "began 0",
    "asked s",
    ...delivered,
    "detached s",
    "ended 0",
    "closed by peer",
  ]);
  expect(clientTold.told).toEqual([
    "opened server",
    "began 0",
    "attached s",
    ...accepted,
    "detached s",
    "ended 0",
    "closed by us",
  ]);
});

test("Connection says the outcome of a range in one frame, in whatever order they were given", () => {
  const { server, sender, serverTold, client, settle } = sending(100);
  const waiting: (() => void)[] = [];
  serverTold.onDelivered = (delivery) => waiting.push(() => delivery.accept());
  for (let i = 0; i < 10; i++) sender.send(hello);
  settle();
  for (const accept of [3, 1, 0, 2, 5, 4, 9, 8]) waiting[accept]?.();
  const output = server.takeOutput(0)!;
  expect(splitFrames(output).map(toHex)).toEqual([
    toHex(frame(performative("15", "41", "43", "52 05", "41", "00 53 24 45"))),
    toHex(frame(performative("15", "41", "52 08", "52 09", "41", "00 53 24 45"))),
  ]);
  client.receive(output, 0);
  expect([...sender.unsettled].map(({ id }) => id)).toEqual([6, 7]);
});

test.each(["released", "rejected", "modified"] as const)(
  "Connection tells a sender that its message was %s",
  (type) => {
    const { sender, serverTold, clientTold, settle } = sending(1);
    serverTold.onDelivered = (delivery) => delivery.settle({ type });
    sender.send(hello);
    settle();
    expect(clientTold.told.at(-1)).toBe(`${type} 0 settled`);
  },
);

test("Connection settles second where both sides want that: the outcome first, then the sender, then the receiver", () => {
  const pair = makePair();
  pair.serverTold.onLinkAsked = (link) => {
    link.accept();
    if (link.isReceiver) link.setCredit(1);
  };
  const sender = pair.client.begin().attachSender("s", { ...TARGET, rcvSettleMode: 1 });
  pair.settle();
  const settled: number[] = [];
  pair.clientTold.onOutcome = (delivery) => {
    settled.push(sender.unsettled.size);
    delivery.settle();
  };
  sender.send(hello);
  pair.settle();
  expect(settled).toEqual([1]);
  expect(pair.clientTold.told).toContain("accepted 0");
  expect(pair.serverTold.told.at(-1)).toBe("settled 0");
});

test("Connection sends settled messages, of which nothing is heard", () => {
  const { sender, serverTold, clientTold, settle } = sending(1);
  expect(sender.send(hello, { settled: true })?.settled).toBe(true);
  settle();
  expect(serverTold.told.at(-1)).toBe("delivered s 5");
  expect(clientTold.told.at(-1)).toBe("attached s");
});

test("Connection cuts a large message into frames, as far as the window of the session goes", () => {
  const { sender, serverTold, clientTold, settle } = sending(2, {
    server: { incomingWindow: 4, frameBytesMax: 512 },
    client: { outputBytesMax: 1_000 },
  });
  const large = Uint8Array.from({ length: 20_000 }, (_, i) => i);
  const got: Uint8Array[] = [];
  serverTold.onDelivered = (delivery) => {
    got.push(delivery.message.slice());
    delivery.accept();
  };
  const bytes = large.slice();
  sender.send(bytes.subarray(10), { head: bytes.subarray(0, 10) });
  expect(sender.canSend()).toBe(false);
  // Whoever sends may use the memory again, though most of it is still to be written.
  bytes.fill(0);
  settle();
  expect(got).toEqual([large]);
  expect(clientTold.told.at(-1)).toBe("accepted 0 settled");
  expect(sender.send(hello)).not.toBe(null);
  settle();
  expect(got).toHaveLength(2);
});

test("Connection gives up a large message on the way", () => {
  const { sender, serverTold, settle, client, server } = sending(2, {
    server: { incomingWindow: 4, frameBytesMax: 512 },
  });
  expect(sender.abort()).toBe(false);
  sender.send(new Uint8Array(20_000));
  server.receive(client.takeOutput(0)!, 0);
  expect(sender.unsettled.size).toBe(1);
  expect(sender.abort()).toBe(true);
  expect(sender.unsettled.size).toBe(0);
  expect(sender.abort()).toBe(false);
  settle();
  sender.send(hello);
  settle();
  expect(serverTold.told.filter((told) => told.startsWith("delivered"))).toEqual(["delivered s 5"]);
});

test("Connection refuses a message above what the link takes, with message-size-exceeded", () => {
  const { sender, serverTold, clientTold, settle } = sending(2);
  expect(sender.messageBytesMax).toBe(1_000_000);
  sender.send(new Uint8Array(1_000_001));
  settle();
  expect(serverTold.told.at(-1)).toBe("detached s closed amqp:link:message-size-exceeded");
  expect(clientTold.told).toContain("detached s closed amqp:link:message-size-exceeded");
});

test("Sender sends as many as it has credit for, and is told when there is more", () => {
  const { sender, receiver, settle, clientTold } = sending(2);
  const flows: number[] = [];
  clientTold.onFlow = ({ credit }) => flows.push(credit);
  expect([sender.send(hello), sender.send(hello), sender.send(hello)].map((sent) => sent !== null)).toEqual([
    true,
    true,
    false,
  ]);
  settle();
  receiver().setCredit(5);
  settle();
  expect(flows).toEqual([5]);
});

test.each(["sender", "receiver"])("Link asks how it stands of its %s, and is told with the answer alone", (side) => {
  const { sender, receiver, settle, clientTold, serverTold } = sending(2);
  const [asks, answers] = side === "sender" ? [receiver(), clientTold] : [sender, serverTold];
  let asked = 0;
  answers.onAsked = () => {
    asked++;
    return new Map([["reason", "limit"]]);
  };
  settle();
  expect(asks.told).toBe(null);
  asks.ask();
  settle();
  expect([asked, asks.told?.get("reason")]).toEqual([1, "limit"]);
  if (side === "receiver") receiver().setCredit(7);
  else sender.ask();
  settle();
  expect(asked).toBe(1);
  if (side === "receiver") expect(asks.told).toBe(null);
});

test("Receiver lets a sender that goes beyond its credit have its link detached", () => {
  const { sender, receiver, settle, serverTold } = sending(2);
  for (let i = 0; i < 2; i++) sender.send(hello);
  sender.credit = 5;
  sender.send(hello);
  settle();
  expect(serverTold.told.at(-1)).toBe("detached s closed amqp:link:transfer-limit-exceeded");
  expect(receiver().state).toBe("detached");
});

test("Receiver takes what was on its way when it gave less credit", () => {
  const { sender, receiver, client, server, settle, serverTold } = sending(3);
  for (let i = 0; i < 3; i++) sender.send(hello);
  receiver().setCredit(0);
  const late = client.takeOutput(0)!;
  client.receive(server.takeOutput(0)!, 0);
  server.receive(late, 0);
  settle();
  expect(serverTold.told.filter((told) => told === "delivered s 5")).toHaveLength(3);
  expect(receiver().credit).toBe(0);
  expect(sender.credit).toBe(0);
});

test("Receiver drains: what there is comes, and the rest of the credit goes back", () => {
  const { sender, receiver, settle, serverTold, clientTold } = sending(0);
  let waiting = 2;
  clientTold.onFlow = () => {
    while (waiting > 0 && sender.canSend()) {
      sender.send(hello);
      waiting--;
    }
    if (sender.drain) sender.drained();
  };
  receiver().drainCredit(10);
  settle();
  expect(serverTold.told.slice(-3)).toEqual(["delivered s 5", "delivered s 5", "sender-flow s credit 0"]);
  expect(receiver()).toMatchObject({ credit: 0, draining: false, deliveryCount: 10 });
  expect(sender).toMatchObject({ credit: 0, deliveryCount: 10 });
});

test("Sender answers a drain at credit 0 by itself", () => {
  const { receiver, settle, serverTold } = sending(0);
  receiver().drainCredit(0);
  settle();
  expect(serverTold.told.at(-1)).toBe("sender-flow s credit 0");
  expect(receiver().draining).toBe(false);
});

test("Connection counts deliveries beyond 2^32", () => {
  const pair = makePair();
  const counts: number[] = [];
  pair.serverTold.onLinkAsked = (link) => {
    link.accept();
    (link as Receiver).setCredit(4);
  };
  pair.serverTold.onDelivered = (delivery) => {
    counts.push(delivery.receiver.deliveryCount);
    delivery.receiver.keepCredit(4);
    delivery.accept();
  };
  const sender = pair.client.begin().attachSender("s", { ...TARGET, initialDeliveryCount: 0xffff_fffe });
  pair.settle();
  for (let i = 0; i < 10; i++) {
    expect(sender.send(hello)).not.toBe(null);
    pair.settle();
  }
  expect(counts.slice(0, 4)).toEqual([0xffff_ffff, 0, 1, 2]);
});

test("Connection lets a link that is attached again under its name take it from the one before", () => {
  const { client, settle, serverTold, clientTold } = sending(1);
  client.begin().attachSender("s", TARGET);
  settle();
  expect(clientTold.told).toContain("detached s amqp:link:stolen");
  expect(serverTold.told.filter((told) => told === "asked s")).toHaveLength(2);
});

test("Connection refuses a link with its reason, and says so once", () => {
  const pair = makePair();
  pair.serverTold.onLinkAsked = (link) => link.refuse({ condition: "amqp:not-found", description: "none" });
  const receiver = pair.client.begin().attachReceiver("r", SOURCE);
  pair.settle();
  expect(receiver.refused).toBe(true);
  expect(pair.clientTold.told.slice(-2)).toEqual(["attached r", "detached r closed amqp:not-found"]);
  expect(pair.serverTold.told.slice(-2)).toEqual(["asked r", "detached r closed amqp:not-found"]);
});

test("Connection tells of a link once, also where whoever is told closes the connection", () => {
  const pair = makePair();
  pair.serverTold.onLinkAsked = (link) => link.refuse({ condition: "amqp:not-found" });
  pair.clientTold.onDetached = () => pair.client.close();
  pair.client.begin().attachReceiver("r", SOURCE);
  pair.settle();
  expect(pair.clientTold.told.filter((told) => told.startsWith("detached"))).toEqual([
    "detached r closed amqp:not-found",
  ]);
  expect(pair.clientTold.told.at(-1)).toBe("closed by us");
});

test("Connection answers later, whatever has come of the link until then", () => {
  const pair = makePair();
  const asked: (Sender | Receiver)[] = [];
  pair.serverTold.onLinkAsked = (link) => asked.push(link);
  const session = pair.client.begin();
  const receiver = session.attachReceiver("kept", SOURCE);
  receiver.setCredit(3);
  session.attachReceiver("gone", SOURCE);
  pair.settle();
  session.links[1]!.detach();
  pair.settle();
  expect(pair.serverTold.told.at(-1)).toBe("detached gone closed");
  for (const link of asked) link.accept();
  pair.settle();
  const [sender] = asked as Sender[];
  expect(sender!.credit).toBe(3);
  sender!.send(hello);
  pair.settle();
  expect(pair.clientTold.told.at(-1)).toBe("delivered kept 5");
  expect(pair.server.done).toBe(false);
});

test("Connection refuses links beyond its limit by name, and goes on with the others", () => {
  const { client, settle, clientTold, sender } = sending(1, { server: { linksMax: 1 } });
  client.sessions[0]!.attachSender("t", TARGET);
  settle();
  expect(clientTold.told.slice(-2)).toEqual(["attached t", "detached t closed amqp:resource-limit-exceeded"]);
  sender.send(hello);
  settle();
  expect(clientTold.told.at(-1)).toBe("accepted 0 settled");
});

test("Connection tells of every link and session when the transport is lost", () => {
  const { server, serverTold, sender, settle } = sending(3);
  serverTold.onDelivered = () => {};
  sender.send(hello);
  settle();
  const unsettled: number[] = [];
  serverTold.onDetached = (link) => unsettled.push(link.unsettled.size);
  server.disconnected();
  server.disconnected();
  expect(serverTold.told.slice(-3)).toEqual(["detached s", "ended 0", "closed by transport"]);
  expect(unsettled).toEqual([1]);
});

test("Connection adds no message while the transport is congested, and asks for more afterwards", () => {
  const { client, clientTold, sender } = sending(9);
  const flows: number[] = [];
  clientTold.onFlow = ({ credit }) => flows.push(credit);
  client.setCongested(true);
  expect(sender.send(hello)).toBe(null);
  expect(flows).toEqual([]);
  client.setCongested(false);
  expect(flows).toEqual([9]);
  expect(sender.send(hello)).not.toBe(null);
});

test("Connection sends heartbeats at twice the rate that its peer wants, and gives up one that is silent", () => {
  const pair = makePair({ client: { idleTimeoutMs: 1_000 }, server: { idleTimeoutMs: 4_000 } });
  pair.settle();
  expect(pair.client.remote?.idleTimeout).toBe(2_000);
  expect(pair.server.remote?.idleTimeout).toBe(500);
  expect(pair.server.tick(100)).toBe(250);
  expect(pair.server.takeOutput(100)).toBe(null);
  expect(pair.server.tick(250)).toBe(500);
  const heartbeat = pair.server.takeOutput(250)!;
  expect(toHex(heartbeat)).toBe("0000000802000000");
  pair.client.receive(heartbeat, 260);
  expect(pair.client.tick(1_259)).not.toBe(null);
  expect(pair.clientTold.end).toBe(null);
  expect(pair.client.tick(1_260)).toBe(null);
  expect(pair.clientTold.told.at(-1)).toBe("closed by us amqp:resource-limit-exceeded");
  pair.server.receive(pair.client.takeOutput(1_260)!, 1_260);
  expect(pair.serverTold.told.at(-1)).toBe("closed by peer amqp:resource-limit-exceeded");
});

test("Connection takes a disposition that names four billion deliveries at the cost of those that there are", () => {
  const { client, clientTold, sender } = sending(3);
  for (let i = 0; i < 3; i++) sender.send(hello);
  client.receive(frame(performative("15", "41", "43", "70 7fffffff", "41", "00 53 24 45")), 0);
  expect(clientTold.told.slice(-3)).toEqual(["accepted 0 settled", "accepted 1 settled", "accepted 2 settled"]);
});

const salt = new Uint8Array(16).fill(1);
const credentials = deriveScramCredentials("secret", salt);
const saslServer = createSaslServer({
  scram: {
    find: (user, answer) => answer(user === "bob" ? credentials : null),
    nonce: () => "nonce-of-the-server",
    secret: salt,
  },
  plain: (user, password, answer) => answer(user === "bob" && password === "secret" ? user : null),
  anonymous: "anonymous",
});

test.each([
  ["SCRAM-SHA-256", scramClient("bob", "secret", "nonce-of-the-client"), "bob"],
  ["SCRAM-SHA-256 with a wrong password", scramClient("bob", "no", "nonce-of-the-client"), null],
  ["PLAIN", plainClient("bob", "secret"), "bob"],
  ["PLAIN with a wrong password", plainClient("bob", "no"), null],
  ["ANONYMOUS", anonymousClient(), "anonymous"],
])("Connection authenticates by %s", (_, mechanism, identity) => {
  const pair = makePair({ client: { saslClients: [mechanism] }, server: { saslServer } });
  pair.settle();
  expect(pair.server.identity).toBe(identity);
  expect(pair.clientTold.told).toEqual([
    identity === null ? "closed by peer amqp:unauthorized-access" : "opened server",
  ]);
  expect(pair.server.done).toBe(identity === null);
});

test("Connection begins sessions up to what both sides allow, and uses a channel again", () => {
  const pair = makePair({ client: { channelMax: 1 } });
  const [first] = [pair.client.begin(), pair.client.begin()];
  expect(() => pair.client.begin()).toThrow("there are 2");
  pair.settle();
  first.end();
  pair.settle();
  expect(pair.client.begin().channel).toBe(0);
  pair.settle();
  expect(pair.serverTold.told).toEqual(["opened client", "began 0", "began 1", "ended 0", "began 0"]);
});

test("Connection bounds what all messages take of which not all frames have come, and gives it back", () => {
  const pair = makePair({ server: { partialBytesMax: 3_000, incomingWindow: 4, frameBytesMax: 512 } });
  pair.serverTold.onLinkAsked = (link) => {
    link.accept();
    if (link.isReceiver) link.setCredit(100);
  };
  // Each session has a window of its own, so that the frames of both take turns.
  const first = pair.client.begin().attachSender("first", TARGET);
  const second = pair.client.begin().attachSender("second", TARGET);
  pair.settle();
  const large = new Uint8Array(2_500);
  first.send(large);
  second.send(large);
  pair.settle();
  expect(pair.serverTold.told.filter((told) => !told.startsWith("sender-flow")).slice(-2)).toEqual([
    "detached second closed amqp:resource-limit-exceeded",
    "delivered first 2500",
  ]);
  expect(pair.server.partials.used).toBe(0);
  for (let i = 0; i < 5; i++) {
    first.send(large);
    pair.settle();
  }
  expect(pair.serverTold.told.at(-1)).toBe("delivered first 2500");
  expect(pair.server.partials.used).toBe(0);
});

test("Connection lets the links of a session take turns with large messages", () => {
  const { client, settle, clientTold, serverTold } = makePair({ server: { incomingWindow: 4, frameBytesMax: 512 } });
  serverTold.onLinkAsked = (link) => {
    link.accept();
    if (link.isReceiver) link.setCredit(9);
  };
  const session = client.begin();
  const senders = ["a", "b", "c"].map((name) => session.attachSender(name, TARGET));
  settle();
  const toSend = new Map(senders.map((sender) => [sender, 3]));
  const send = (sender: Sender): void => {
    for (let left = toSend.get(sender) ?? 0; left > 0 && sender.canSend(); toSend.set(sender, --left)) {
      sender.send(new Uint8Array(3_000));
    }
  };
  clientTold.onFlow = send;
  for (const sender of senders) send(sender);
  settle();
  const delivered = serverTold.told.filter((told) => told.startsWith("delivered")).map((told) => told.split(" ")[1]);
  expect(["a", "b", "c"].map((name) => delivered.filter((each) => each === name).length)).toEqual([3, 3, 3]);
  expect(new Set(delivered.slice(0, 3)).size).toBe(3);
});
