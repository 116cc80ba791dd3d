import { once } from "node:events";
import { type AddressInfo, connect } from "node:net";
import { promisify } from "node:util";
import {
  ACCEPTED,
  type Connection,
  decodeMessage,
  encodeMessage,
  type Message,
  plainClient,
  scramClient,
  createSaslServer,
  deriveScramCredentials,
  type Sender,
  WEBSOCKET_PROTOCOL,
} from "@datawire/amqp";
import rhea from "rhea";
import { afterEach, expect, test } from "vitest";
import { WebSocket, WebSocketServer } from "ws";
import { connectPeer, PeerServer } from "./harness/amqp/peer.ts";
import { Queues } from "./harness/amqp/queues.ts";
import { eventually } from "./harness/wait.ts";

/** The engine of AMQP and rhea, another implementation for Node, each as client and as server of the other. */
const endings: (() => unknown)[] = [];
afterEach(async () => {
  for (const end of endings.splice(0).reverse()) await end();
});

async function serve(
  settings: ConstructorParameters<typeof PeerServer>[0] = {},
): Promise<{ port: number; queues: Queues }> {
  const queues = new Queues();
  const server = new PeerServer(settings, queues.events);
  endings.push(() => server.close());
  return { port: await server.listen(), queues };
}

/** rhea as a client of the engine. */
async function connectRhea(port: number, options: Partial<rhea.ConnectionOptions> = {}): Promise<rhea.Connection> {
  const container = rhea.create_container();
  const connection = container.connect({ port, host: "127.0.0.1", reconnect: false, ...options });
  connection.on("disconnected", () => {});
  endings.push(() => connection.close());
  await once(connection, "connection_open");
  return connection;
}

const BODIES: readonly [string, unknown][] = [
  ["a text", "hello"],
  ["a list", [1, "two", null, true, -2.5]],
  ["a map", { a: 1, b: { c: "d" } }],
  ["bytes", rhea.message.data_section(Buffer.from("data"))],
  ["sequences", rhea.message.sequence_section([1, 2])],
  ["more than a frame", "x".repeat(300_000)],
];

test.each(BODIES)("rhea sends %s through the engine to rhea", async (_, body) => {
  const { port } = await serve();
  const connection = await connectRhea(port);
  const receiver = connection.open_receiver("orders");
  const sender = connection.open_sender("orders");
  const arrived = once(receiver, "message") as Promise<[rhea.EventContext]>;
  const accepted = once(sender, "accepted");
  await once(sender, "sendable");
  sender.send({ message_id: "m", application_properties: { colour: "red" }, body });
  const [{ message }] = await arrived;
  expect(message?.message_id).toBe("m");
  expect(message?.application_properties).toEqual({ colour: "red" });
  expect(JSON.stringify(message?.body)).toBe(JSON.stringify(body));
  await accepted;
});

test.each(["accepted", "released", "rejected", "modified"])(
  "rhea hears that its message was %s by rhea",
  async (outcome) => {
    const { port } = await serve();
    const connection = await connectRhea(port);
    const receiver = connection.open_receiver({ source: "orders", autoaccept: false });
    receiver.on("message", ({ delivery }: rhea.EventContext) => {
      if (outcome === "accepted") delivery?.accept();
      if (outcome === "released") delivery?.release({});
      if (outcome === "rejected") delivery?.reject({ condition: "app:bad", description: "no" });
      if (outcome === "modified") delivery?.modified({ delivery_failed: true, undeliverable_here: true });
    });
    const sender = connection.open_sender("orders");
    const heard = once(sender, outcome === "modified" ? "modified" : outcome) as Promise<[rhea.EventContext]>;
    await once(sender, "sendable");
    sender.send({ body: 1 });
    const [{ delivery }] = await heard;
    if (outcome === "rejected") {
      expect(delivery?.remote_state).toMatchObject({ error: { condition: "app:bad" } });
    }
  },
);

test("rhea sends a thousand messages, with credit for a hundred at a time", async () => {
  const { port } = await serve();
  const connection = await connectRhea(port);
  const receiver = connection.open_receiver({ source: "orders", credit_window: 7 });
  const sender = connection.open_sender("orders");
  const arrived: unknown[] = [];
  let sent = 0;
  let accepted = 0;
  receiver.on("message", ({ message }: rhea.EventContext) => arrived.push(message?.body));
  sender.on("accepted", () => accepted++);
  sender.on("sendable", () => {
    while (sent < 1_000 && sender.sendable()) sender.send({ body: sent++ });
  });
  await eventually(() => expect(accepted).toBe(1_000));
  expect(arrived).toEqual([...Array(1_000).keys()]);
});

test("rhea drains a link, also one at which nothing waits", async () => {
  const { port } = await serve();
  const connection = await connectRhea(port);
  const receiver = connection.open_receiver({ source: "empty", credit_window: 0 });
  await once(receiver, "receiver_open");
  const drained = once(receiver, "receiver_drained");
  receiver.drain = true;
  receiver.add_credit(10);
  await drained;
  expect((receiver as unknown as { credit: number }).credit).toBe(0);
});

test("rhea is refused a link with the condition of the engine", async () => {
  const { port } = await serve();
  const connection = await connectRhea(port);
  const receiver = connection.open_receiver("nowhere");
  const [{ receiver: closed }] = (await once(receiver, "receiver_error")) as [rhea.EventContext];
  expect(closed?.error).toMatchObject({ condition: "amqp:not-found" });
});

test("rhea gets an address of its own where it asks for one, and an answer at it through the relay", async () => {
  const { port } = await serve();
  const connection = await connectRhea(port);
  const asker = connection.open_receiver({ source: { address: "", dynamic: true } });
  await once(asker, "receiver_open");
  const address = asker.source.address;
  expect(address).toMatch(/^temporary-/);
  const relay = connection.open_sender({ target: {} });
  await once(relay, "sendable");
  relay.send({ to: address, body: "answer" });
  const [{ message }] = (await once(asker, "message")) as [rhea.EventContext];
  expect(message?.body).toBe("answer");
});

const salt = new Uint8Array(16).fill(7);
const saslServer = createSaslServer({
  scram: {
    find: (user, answer) => answer(user === "bob" ? deriveScramCredentials("secret", salt) : null),
    nonce: () => "nonce-of-the-server",
    secret: salt,
  },
  plain: (user, password, answer) =>
    void setImmediate(() => answer(user === "bob" && password === "secret" ? user : null)),
  anonymous: "anonymous",
});

test.each<[string, Partial<rhea.ConnectionOptions>]>([
  ["by password", { username: "bob", password: "secret" }],
  ["as anybody", { username: "anonymous" }],
])("rhea logs in %s", async (_, options) => {
  const { port } = await serve({ saslServer });
  const connection = await connectRhea(port, options);
  expect(connection.is_open()).toBe(true);
});

test("rhea is not let in with a wrong password", async () => {
  const { port } = await serve({ saslServer });
  const container = rhea.create_container();
  const connection = container.connect({ port, host: "127.0.0.1", reconnect: false, username: "bob", password: "no" });
  connection.on("disconnected", () => {});
  const [{ error }] = (await once(connection, "connection_error")) as [{ error?: Error }];
  expect(error?.message).toMatch(/authenticat|unauthorized/i);
});

/** The engine as a client of rhea, which accepts what it gets and sends `greetings`. */
async function serveRhea(users: "none" | "bob" = "none"): Promise<{ port: number; bodies: unknown[] }> {
  const container = rhea.create_container();
  const bodies: unknown[] = [];
  container.on("message", ({ message }: rhea.EventContext) => bodies.push(message?.body));
  container.on("sendable", ({ sender }: rhea.EventContext) => {
    while (sender?.sendable() === true) {
      sender.send({ body: `greeting ${bodies.push("sent")}` });
    }
  });
  if (users === "bob") {
    const check = (user: string, password: string): boolean => user === "bob" && password === "secret";
    container.sasl_server_mechanisms.enable_plain(check);
  }
  container.on("disconnected", () => {});
  const server = container.listen({ port: 0, host: "127.0.0.1" });
  await once(server, "listening");
  endings.push(() => server.close());
  return { port: (server.address() as AddressInfo).port, bodies };
}

test("the engine sends to rhea: one frame, several frames, and settled", async () => {
  const { port, bodies } = await serveRhea();
  const outcomes: unknown[] = [];
  const toSend: Message[] = ["a", "b".repeat(200_000), "c"].map((value) => ({ body: { type: "value", value } }));
  const connection = await connectPeer(
    port,
    {},
    {
      flow(sender: Sender) {
        while (toSend.length > 0 && sender.canSend()) {
          sender.send(encodeMessage(toSend.shift()!), { settled: toSend.length === 0 });
        }
      },
      outcome: (delivery) => outcomes.push(delivery.state, delivery.settled),
    },
  );
  endings.push(() => connection.close());
  connection.begin().attachSender("s", { source: {}, target: { address: "orders" } });
  await eventually(() => expect(bodies.map((body) => String(body).length)).toEqual([1, 200_000, 1]));
  await eventually(() => expect(outcomes).toEqual([ACCEPTED, true, ACCEPTED, true]));
});

test("the engine receives from rhea with the credit it gives, and drains the rest", async () => {
  const { port } = await serveRhea("bob");
  const bodies: unknown[] = [];
  const connection: Connection = await connectPeer(
    port,
    { saslClients: [plainClient("bob", "secret")] },
    {
      delivered(delivery) {
        const message = decodeMessage(delivery.message) as Message;
        bodies.push(message.body?.type === "value" && message.body.value);
        delivery.accept();
      },
    },
  );
  const receiver = connection.begin().attachReceiver("r", { source: { address: "greetings" }, target: {} });
  receiver.setCredit(3);
  await eventually(() => expect(bodies).toEqual(["greeting 1", "greeting 2", "greeting 3"]));
  expect(receiver.credit).toBe(0);
  connection.close();
  await eventually(() => expect(connection.done).toBe(true));
});

test("the engine hears from rhea that it is not let in", async () => {
  const { port } = await serveRhea("bob");
  const ends: unknown[] = [];
  await connectPeer(
    port,
    { saslClients: [scramClient("bob", "secret", "n".repeat(20)), plainClient("bob", "no")] },
    {
      closed: (end) => ends.push(end),
    },
  );
  await eventually(() =>
    expect(ends).toEqual([
      { by: "peer", error: { condition: "amqp:unauthorized-access", description: "Cannot authenticate" } },
    ]),
  );
});

test("rhea sends and receives over a WebSocket, whose messages are the bytes cut anyhow", async () => {
  const { port } = await serve();
  // Between the two stands what a port for browsers does: bytes there and back, in other pieces than they came.
  const sockets = new WebSocketServer({ port: 0, host: "127.0.0.1", handleProtocols: () => WEBSOCKET_PROTOCOL });
  endings.push(() => promisify(sockets.close.bind(sockets))());
  sockets.on("connection", (socket) => {
    const peer = connect(port, "127.0.0.1");
    socket.on("message", (data) => peer.write(data as Buffer));
    socket.on("close", () => peer.destroy());
    peer.on("data", (bytes) => {
      for (let at = 0; at < bytes.length; at += 7) socket.send(bytes.subarray(at, at + 7));
    });
    peer.on("close", () => socket.close());
  });
  await once(sockets, "listening");
  const container = rhea.create_container();
  const dial = container.websocket_connect(WebSocket);
  const { port: webPort } = sockets.address() as AddressInfo;
  const connection = container.connect({
    connection_details: dial(`ws://127.0.0.1:${webPort}`, [WEBSOCKET_PROTOCOL], {}),
    reconnect: false,
  } as unknown as rhea.ConnectionOptions);
  connection.on("disconnected", () => {});
  endings.push(() => connection.close());
  await once(connection, "connection_open");
  const receiver = connection.open_receiver("orders");
  const sender = connection.open_sender("orders");
  await once(sender, "sendable");
  sender.send({ body: "x".repeat(100_000) });
  const [{ message }] = (await once(receiver, "message")) as [rhea.EventContext];
  expect(String(message?.body).length).toBe(100_000);
});
