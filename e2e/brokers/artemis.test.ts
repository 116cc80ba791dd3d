import { once } from "node:events";
import { join } from "node:path";
import type rhea from "rhea";
import { afterAll, beforeAll, expect, test } from "vitest";
import { Artemis, ARTEMIS_USER } from "../harness/router/artemis.ts";
import { next, sections, sent } from "../harness/router/exchange.ts";
import { RheaClient } from "../harness/router/rhea-client.ts";
import { RouterProcess } from "../harness/router/router-process.ts";
import { Stack } from "../harness/stack.ts";
import { eventually } from "../harness/wait.ts";

/** A real Artemis behind a real router. */
const ROUNDS = 2;

const stack = new Stack();
let artemis: Artemis;
let router: RouterProcess;
beforeAll(async () => {
  artemis = await Artemis.start(join(stack.folder, "artemis"));
  router = await RouterProcess.start(
    stack,
    {
      addresses: [
        { match: "jobs/**", kind: "link", upstream: "artemis", rewrite: "queue://$1" },
        { match: "news/*", kind: "link", upstream: "artemis", rewrite: "topic://$1" },
        { match: "subscribed/*/*", kind: "link", upstream: "artemis", rewrite: "$1::$2" },
        { match: "bare/*", kind: "link", upstream: "artemis", rewrite: "$1" },
      ],
      upstreams: { artemis: { url: `amqp://127.0.0.1:${artemis.port}`, user: ARTEMIS_USER, password: "${ARTEMIS}" } },
    },
    { ARTEMIS: ARTEMIS_USER },
  );
});
afterAll(async () => {
  await artemis?.kill();
  await stack.dispose();
});

/** A client of Artemis itself, for what is there. */
const direct = (): Promise<RheaClient> =>
  RheaClient.connect(artemis.port, "direct", { username: ARTEMIS_USER, password: ARTEMIS_USER });

const manual = (address: string): rhea.ReceiverOptions => ({ source: address, credit_window: 0, autoaccept: false });

/** Resolves once a drain is answered; with no message, the queue has none that nobody holds. */
async function drained(receiver: rhea.Receiver, credit = 5): Promise<void> {
  receiver.drain_credit();
  receiver.add_credit(credit);
  await once(receiver, "receiver_drained");
  receiver.drain = false;
}

test("prefixes decide of a queue or a topic, and a queue of an address is reached by its full name", async () => {
  const [{ connection }, own] = [await RheaClient.connect(router.port), await direct()];
  expect(await sent(connection.open_sender("jobs/print/a4"), { body: "one" })).toBe("accepted");
  expect((await next(own.connection.open_receiver(manual("queue://print/a4")))).message.body).toBe("one");

  // Each of a topic has its own; nobody's are dropped, and accepted all the same.
  const news = connection.open_sender("news/sport");
  expect(await sent(news, { body: "before" })).toBe("accepted");
  const readers = [connection.open_receiver(manual("news/sport")), connection.open_receiver(manual("news/sport"))];
  await Promise.all(readers.map((reader) => once(reader, "receiver_open")));
  const both = Promise.all(readers.map(next));
  expect(await sent(news, { body: "goal" })).toBe("accepted");
  expect((await both).map(({ message }) => message.body)).toEqual(["goal", "goal"]);

  expect(await sent(connection.open_sender("jobs/named"), { body: "full" })).toBe("accepted");
  expect((await next(connection.open_receiver(manual("subscribed/named/named")))).message.body).toBe("full");
  connection.close();
  own.close();
});

test("an address without a prefix is a topic of Artemis, unless the link has the capability of a queue", async () => {
  const { connection } = await RheaClient.connect(router.port);
  expect(await sent(connection.open_sender("bare/topic"), { body: "dropped" })).toBe("accepted");
  const late = connection.open_receiver(manual("bare/topic"));
  const bodies: unknown[] = [];
  late.on("message", ({ message }: rhea.EventContext) => bodies.push(message?.body));
  await drained(late);
  expect(bodies).toEqual([]);

  const capabilities = ["queue"] as unknown as string;
  expect(
    await sent(connection.open_sender({ target: { address: "bare/queue", capabilities } }), { body: "kept" }),
  ).toBe("accepted");
  const receiver = connection.open_receiver({ ...manual(""), source: { address: "bare/queue", capabilities } });
  expect((await next(receiver)).message.body).toBe("kept");
  connection.close();
});

test("bodies of every kind come back as they were, with their annotations", async () => {
  const { connection } = await RheaClient.connect(router.port);
  const sender = connection.open_sender("jobs/bodies");
  const receiver = connection.open_receiver({ source: "jobs/bodies", credit_window: 0 });
  const { data_section, data_sections, sequence_section } = sections;
  const bodies = [
    "text",
    77,
    { book: "Emma", price: 12, parts: [1, "two", null] },
    data_section(Buffer.from("bytes")),
    data_sections([Buffer.from("a"), Buffer.from("b")]),
    sequence_section([1, "two"]),
    "x".repeat(300_000),
  ];
  for (const body of bodies) {
    const message = { body, subject: "s", delivery_annotations: { hop: 1 }, message_annotations: { "x-opt-a": "b" } };
    const outcome = sent(sender, message);
    const got = await next(receiver);
    expect(await outcome).toBe("accepted");
    expect(got.message).toMatchObject({ subject: "s", message_annotations: { "x-opt-a": "b" } });
    expect(JSON.stringify(got.message.body)).toBe(JSON.stringify(body));
  }
  connection.close();
});

test("what becomes of a message passes: accepted, released, modified and rejected", async () => {
  const [{ connection }, own] = [await RheaClient.connect(router.port), await direct()];
  const sender = connection.open_sender("jobs/outcomes");
  expect(await sent(sender, { body: "one", durable: true })).toBe("accepted");
  const receiver = connection.open_receiver(manual("jobs/outcomes"));
  (await next(receiver)).delivery.release({ delivery_failed: false });
  const released = await next(receiver);
  expect(released.message).toMatchObject({ body: "one" });
  released.delivery.modified({ delivery_failed: true });
  const failed = await next(receiver);
  expect(failed.message).toMatchObject({ body: "one", delivery_count: 1 });
  failed.delivery.reject({ condition: "app:bad", description: "unreadable" });
  // A message that is rejected goes to the dead letters of Artemis.
  const dead = await next(connection.open_receiver(manual("jobs/DLQ")));
  expect(dead.message.body).toBe("one");
  dead.delivery.accept();

  expect(await sent(sender, { body: "two", durable: true })).toBe("accepted");
  const second = await next(receiver);
  expect(second.message.body).toBe("two");
  second.delivery.accept();
  receiver.close();
  await once(receiver, "receiver_close");
  // What comes back goes to the front of its queue.
  expect(await sent(sender, { body: "three" })).toBe("accepted");
  expect((await next(own.connection.open_receiver(manual("queue://outcomes")))).message.body).toBe("three");
  connection.close();
  own.close();
});

test("a question that goes through Artemis is answered at a dynamic address", async () => {
  const { connection } = await RheaClient.connect(router.port);
  const answers = connection.open_receiver({ source: { address: "", dynamic: true }, credit_window: 1 });
  await once(answers, "receiver_open");
  const relay = connection.open_sender({ target: {} });
  const question = { to: "jobs/questions", body: "question", reply_to: answers.source.address };
  expect(await sent(relay, question)).toBe("accepted");
  const { message } = await next(connection.open_receiver({ source: "jobs/questions", credit_window: 0 }));
  const answered = once(answers, "message") as Promise<[rhea.EventContext]>;
  expect(await sent(relay, { to: message.reply_to as string, body: `answer to ${message.body}` })).toBe("accepted");
  const [answer] = await answered;
  expect(answer.message?.body).toBe("answer to question");
  connection.close();
});

test("a drain brings what there is, and is answered where there is nothing", async () => {
  const { connection } = await RheaClient.connect(router.port);
  const sender = connection.open_sender("jobs/drain");
  for (const body of ["one", "two", "three"]) expect(await sent(sender, { body })).toBe("accepted");
  const receiver = connection.open_receiver({ source: "jobs/drain", credit_window: 0 });
  const bodies: unknown[] = [];
  receiver.on("message", ({ message }: rhea.EventContext) => bodies.push(message?.body));
  await drained(receiver, 10);
  expect(bodies).toEqual(["one", "two", "three"]);
  await drained(receiver);
  expect(await sent(sender, { body: "four" })).toBe("accepted");
  expect((await next(receiver)).message.body).toBe("four");
  connection.close();
});

test("a link that Artemis refuses is refused with its reason, and costs no other one anything", async () => {
  const { connection } = await RheaClient.connect(router.port);
  const other = connection.open_sender("jobs/other");
  await once(other, "sendable");
  const receiverError = async (address: string): Promise<unknown> => {
    const receiver = connection.open_receiver(address);
    await once(receiver, "receiver_error");
    return receiver.error;
  };
  expect(await receiverError("jobs/fixed.missing")).toMatchObject({ condition: "amqp:not-found" });
  const nowhere = connection.open_sender("jobs/fixed.missing");
  await once(nowhere, "sender_error");
  expect(nowhere.error).toMatchObject({
    condition: "amqp:not-found",
    description: "AMQ119002: target address queue://fixed.missing does not exist",
  });
  expect(await receiverError("jobs/forbidden")).toMatchObject({ condition: "amqp:unauthorized-access" });
  // Who may not send has the link, and each message is rejected.
  expect(await sent(connection.open_sender("jobs/forbidden"), { body: "x", durable: true })).toContain(
    "does not have permission='SEND' on address forbidden",
  );
  expect(await sent(other, { body: "x" })).toBe("accepted");
  connection.close();
});

test(`nothing that Artemis accepted is lost when it is killed and comes back, ${ROUNDS} rounds`, async () => {
  const client = await RheaClient.connect(router.port);
  const sentBodies = new Set<string>();
  // Sent, and not accepted or given back yet.
  let waiting = 0;
  let isOver = false;
  const sender = client.send("jobs/orders", () => {
    if (isOver || waiting >= 50) return null;
    waiting++;
    const body = `${sentBodies.size + 1}`;
    sentBodies.add(body);
    return body;
  });
  sender.on("accepted", () => waiting--);
  // rhea says so of what is modified, too.
  sender.on("released", () => {
    waiting--;
    sender.emit("sendable");
  });
  const receiver = client.receive("jobs/orders", { credit: 20 });
  for (let round = 0; round < ROUNDS; round++) {
    const before = client.received.length;
    await eventually(() => expect(client.received.length).toBeGreaterThan(before + 200));
    await artemis.kill();
    await eventually(async () => {
      const { queues, problems } = await router.status();
      expect(queues.find(({ address }) => address === "jobs/orders")).toMatchObject({
        kind: "link",
        state: "stalled",
        reason: "waits-for-upstream",
      });
      expect(problems.map(({ subject }) => subject)).toEqual(["upstream artemis"]);
    });
    // A link that is asked for now is answered at once, and has no credit.
    const late = client.connection.open_sender("jobs/late");
    await once(late, "sender_open");
    expect(late.sendable()).toBe(false);
    const sendable = once(late, "sendable");
    await artemis.start();
    await sendable;
    late.close();
    const after = client.received.length;
    await eventually(() => expect(client.received.length).toBeGreaterThan(after + 200));
  }
  isOver = true;
  await eventually(() => expect(waiting).toBe(0));
  receiver.close();
  await once(receiver, "receiver_close");
  const rest = await direct();
  rest.receive("queue://orders");
  const all = (): Set<string> => new Set([...client.received, ...rest.received]);
  await eventually(() => expect([...client.accepted].filter((body) => !all().has(body))).toEqual([]));
  expect([...all()].filter((body) => !sentBodies.has(body))).toEqual([]);
  await eventually(async () => expect((await router.status()).problems).toEqual([]));
  client.close();
  rest.close();
});
