import { once } from "node:events";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { goodCertificate, testAuthority } from "@datawire/runtime/testing";
import rhea from "rhea";
import { afterAll, beforeAll, expect, test } from "vitest";
import { next, sections, sent } from "./harness/router/exchange.ts";
import { Rabbitmq, SHARING } from "./harness/router/rabbitmq.ts";
import { RheaClient } from "./harness/router/rhea-client.ts";
import { RouterProcess } from "./harness/router/router-process.ts";
import { scaled } from "./harness/scale.ts";
import { Stack } from "./harness/stack.ts";
import { eventually } from "./harness/wait.ts";

/** A real RabbitMQ behind a real router: what its own AMQP 1.0 lacks, and what becomes of messages when either is killed. */
const ROUNDS = scaled(10, 1);

const stack = new Stack();
let rabbit: Rabbitmq;
let router: RouterProcess;
beforeAll(async () => {
  rabbit = await Rabbitmq.start(join(stack.folder, "rabbitmq"), { ...SHARING, tls: goodCertificate });
  const ca = join(stack.folder, "authority.pem");
  writeFileSync(ca, testAuthority);
  const guest = { user: "guest", password: "${RABBIT}" };
  router = await RouterProcess.start(
    stack,
    {
      addresses: [
        { match: "legacy/**", kind: "link", upstream: "rabbit", rewrite: "/queue/$1" },
        { match: "there/*", kind: "link", upstream: "rabbit", rewrite: "/amq/queue/$1" },
        { match: "secure/*", kind: "link", upstream: "secure", rewrite: "/queue/$1" },
        { match: "distrusted/*", kind: "link", upstream: "distrusted", rewrite: "/queue/$1" },
        { match: "exchange/*/*", kind: "link", upstream: "rabbit", rewrite: "/exchange/$1/$2" },
      ],
      upstreams: {
        rabbit: { url: `amqp://127.0.0.1:${rabbit.port}`, ...guest },
        secure: { url: `amqps://localhost:${rabbit.tlsPort}`, ca, ...guest },
        distrusted: { url: `amqps://localhost:${rabbit.tlsPort}`, ...guest },
      },
    },
    { RABBIT: "guest" },
  );
});
afterAll(async () => {
  await rabbit?.stop();
  await stack.dispose();
});

/** RabbitMQ makes a queue that outlives it where the link asks for that, and for no other. */
const DURABLE = { address: "legacy/orders", durable: 2 } as const;

test("bodies of every kind come back as they were, and what RabbitMQ would turn round is rejected", async () => {
  const { connection } = await RheaClient.connect(router.port);
  const sender = connection.open_sender("legacy/bodies");
  const receiver = connection.open_receiver({ source: "legacy/bodies", credit_window: 0 });
  const { data_section, data_sections, sequence_section } = sections;
  const bodies = [
    "text",
    77,
    true,
    { book: "Emma", price: 12, parts: [1, "two", null] },
    rhea.types.wrap_ulong(7),
    data_section(Buffer.from("bytes")),
    sequence_section([1, "two"]),
  ];
  for (const body of bodies) {
    const message = { body, subject: "s", delivery_annotations: { hop: 1 }, message_annotations: { "x-opt-a": "b" } };
    const outcome = sent(sender, message);
    const got = await next(receiver);
    expect(await outcome).toBe("accepted");
    expect(got.message.subject).toBe("s");
    expect(got.message.message_annotations).toEqual({ "x-opt-a": "b" });
    const plain = body instanceof Object && "typecode" in body && "value" in body ? body.value : body;
    expect(JSON.stringify(got.message.body)).toBe(JSON.stringify(plain));
  }
  expect(await sent(sender, { body: data_sections([Buffer.from("a"), Buffer.from("b")]) })).toMatch(
    /^Cannot send a body of 2 sections to RabbitMQ 3\.\S+: it gives them out in another order$/,
  );
  expect(await sent(sender, { body: "goes on" })).toBe("accepted");
  expect((await next(receiver)).message.body).toBe("goes on");
  connection.close();
});

test("messages go to RabbitMQ over TLS, and nothing to one that is not believed", async () => {
  const client = await RheaClient.connect(router.port);
  await client.sendAll("secure/parcels", ["one", "two"]);
  // It is the same queue.
  client.receive("legacy/parcels");
  await eventually(() => expect(client.received).toEqual(["one", "two"]));
  client.receive("distrusted/parcels");
  await eventually(async () => {
    const { queues, problems } = await router.status();
    const waiting = queues.find(({ address }) => address === "distrusted/parcels");
    expect(waiting).toMatchObject({ state: "stalled", reason: "waits-for-upstream" });
    expect(problems).toContainEqual(
      expect.objectContaining({ message: expect.stringMatching(/certificate/) as string }),
    );
  });
  client.close();
});

test("a link that RabbitMQ refuses is refused, and costs no other one anything", async () => {
  const { connection } = await RheaClient.connect(router.port);
  const other = connection.open_sender("legacy/other");
  await once(other, "sendable");
  const refused = connection.open_receiver("there/missing");
  await once(refused, "receiver_error");
  expect(refused.error).toMatchObject({ condition: "amqp:not-found" });
  expect((refused.error as rhea.ConnectionError).description).toContain("no queue 'missing'");
  const nowhere = connection.open_sender("exchange/missing/key");
  await once(nowhere, "sender_error");
  expect(nowhere.error).toMatchObject({ condition: "amqp:not-found" });
  expect(await sent(other, { body: "x" })).toBe("accepted");
  connection.close();
});

test("a drain is answered, what is modified comes again, and answers come to a dynamic address", async () => {
  const { connection } = await RheaClient.connect(router.port);
  const sender = connection.open_sender("legacy/drain");
  expect(await sent(sender, { body: "one" })).toBe("accepted");
  const receiver = connection.open_receiver({ source: "legacy/drain", credit_window: 0, autoaccept: false });
  const bodies: unknown[] = [];
  receiver.on("message", ({ message }: rhea.EventContext) => bodies.push(message?.body));
  receiver.drain_credit();
  receiver.add_credit(10);
  const [{ delivery }] = (await once(receiver, "message")) as [rhea.EventContext];
  receiver.drain_credit();
  await once(receiver, "receiver_drained");
  expect(bodies).toEqual(["one"]);
  receiver.drain = false;
  delivery?.modified({ delivery_failed: true });
  const again = await next(receiver);
  expect(again.message.body).toBe("one");
  again.delivery.accept();
  // Empty by now.
  receiver.add_credit(5);
  receiver.drain_credit();
  await once(receiver, "receiver_drained");
  receiver.drain = false;

  const answers = connection.open_receiver({ source: { address: "", dynamic: true }, credit_window: 1 });
  await once(answers, "receiver_open");
  const replyTo = answers.source.address;
  const answered = once(answers, "message");
  expect(await sent(sender, { body: "question", reply_to: replyTo })).toBe("accepted");
  const question = await next(receiver);
  const relay = connection.open_sender({ target: {} });
  expect(await sent(relay, { to: question.message.reply_to as string, body: "answer" })).toBe("accepted");
  question.delivery.accept();
  const [{ message }] = (await answered) as [rhea.EventContext];
  expect(message?.body).toBe("answer");
  // And the other way round: the relay goes to RabbitMQ as well.
  expect(await sent(relay, { to: "legacy/drain", body: "relayed" })).toBe("accepted");
  expect((await next(receiver)).message.body).toBe("relayed");
  connection.close();
});

test(`nothing that RabbitMQ accepted is lost when it or the router is killed, ${ROUNDS} rounds; links wait meanwhile`, async () => {
  const accepted = new Set<string>();
  const sentBodies = new Set<string>();
  const received = new Set<string>();
  let last = 0;
  const clients: RheaClient[] = [];
  const start = async (): Promise<void> => {
    const client = await RheaClient.connect(router.port, `client-${clients.length}`);
    clients.push(client);
    // Sent, and not accepted or given back yet.
    let waiting = 0;
    const sender = client.send(DURABLE, () => {
      // RabbitMQ gives consumers little while it is flooded.
      if (waiting >= 50) return null;
      waiting++;
      const body = `${++last}`;
      sentBodies.add(body);
      return body;
    });
    sender.on("accepted", () => waiting--);
    // rhea says so of what is modified, too.
    sender.on("released", () => {
      waiting--;
      sender.emit("sendable");
    });
    client.receive(DURABLE, { credit: 20 });
  };
  for (let round = 0; round < ROUNDS; round++) {
    await start();
    await eventually(() => expect(clients.at(-1)?.received.length).toBeGreaterThan(200));
    await rabbit.kill();
    await eventually(async () => {
      const { queues } = await router.status();
      expect(queues.find(({ address }) => address === "legacy/orders")).toMatchObject({
        kind: "link",
        state: "stalled",
        reason: "waits-for-upstream",
      });
    });
    // A link that is asked for now is answered at once, and has no credit.
    const late = await RheaClient.connect(router.port, "late");
    const waiting = late.connection.open_sender("legacy/late");
    await once(waiting, "sender_open");
    expect(waiting.sendable()).toBe(false);
    await eventually(async () =>
      expect((await router.status()).problems.map(({ subject }) => subject)).toContain("upstream rabbit"),
    );
    const sendable = once(waiting, "sendable");
    await rabbit.start();
    await sendable;
    const before = clients.at(-1)?.received.length ?? 0;
    await eventually(() => expect(clients.at(-1)?.received.length).toBeGreaterThan(before + 200));
    late.close();
    await router.end("SIGKILL");
    await router.start();
  }
  for (const client of clients) {
    for (const body of client.accepted) accepted.add(body);
    for (const body of client.received) received.add(body);
  }
  const rest = await RheaClient.connect(router.port);
  rest.receive(DURABLE);
  await eventually(() => {
    const all = new Set([...received, ...rest.received]);
    expect([...accepted].filter((body) => !all.has(body))).toEqual([]);
  });
  for (const body of rest.received) expect(sentBodies.has(body)).toBe(true);
  expect([...received].filter((body) => !sentBodies.has(body))).toEqual([]);
  await eventually(async () => expect((await router.status()).problems).toEqual([]));
  rest.close();
});
