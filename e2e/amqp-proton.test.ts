import { join } from "node:path";
import {
  anonymousClient,
  createSaslServer,
  decodeMessage,
  encodeMessage,
  type Message,
  type Value,
} from "@datawire/amqp";
import { afterEach, expect, test } from "vitest";
import { connectPeer, PeerServer } from "./harness/amqp/peer.ts";
import { Queues } from "./harness/amqp/queues.ts";
import type { Child } from "./harness/child.ts";
import { PROTON_EXAMPLES, startPython } from "./harness/python.ts";
import { freePorts } from "@datawire/runtime/testing";
import { eventually } from "./harness/wait.ts";

/** The engine of AMQP and Proton, by its own examples and by a peer that tries every type. */
const PEER = join(import.meta.dirname, "fixtures/amqp/proton_peer.py");

const endings: (() => unknown)[] = [];
afterEach(async () => {
  for (const end of endings.splice(0).reverse()) await end();
});

function python(...args: readonly string[]): Child {
  const child = startPython(...args);
  endings.push(() => {
    child.kill("SIGKILL");
    return child.exited;
  });
  return child;
}

async function serve(): Promise<{ port: number; queues: Queues }> {
  const queues = new Queues();
  const server = new PeerServer({ saslServer: createSaslServer({ anonymous: "anonymous" }) }, queues.events);
  endings.push(() => server.close());
  return { port: await server.listen(), queues };
}

test("Proton sends every type, and gets it back as it was", async () => {
  const { port } = await serve();
  const receiver = python(PEER, "receive", String(port), "50");
  const sender = python(PEER, "send", String(port), "50");
  expect(await receiver.line((line) => line.startsWith("received"))).toBe("received 50 same 50");
  expect(await sender.line((line) => line.startsWith("accepted"))).toBe("accepted 50");
  expect(await Promise.all([receiver.exited, sender.exited])).toEqual([
    { code: 0, signal: null },
    { code: 0, signal: null },
  ]);
});

test("Proton's own examples work: a request, and its answer at an address of its own", async () => {
  const { port } = await serve();
  const server = python(join(PROTON_EXAMPLES, "server.py"), "-a", `amqp://127.0.0.1:${port}/examples`);
  await server.line((line) => line.startsWith("Listening"));
  const client = python(join(PROTON_EXAMPLES, "client.py"), "-a", `amqp://127.0.0.1:${port}/examples`);
  await client.exited;
  expect(client.lines.at(-1)).toBe("And the mome raths outgrabe. => AND THE MOME RATHS OUTGRABE.");
  expect(client.lines).toHaveLength(4);
});

test("Proton's own examples work: it sends a thousand messages, and then receives them", async () => {
  const { port } = await serve();
  const url = `amqp://127.0.0.1:${port}/examples`;
  const receiver = python(join(PROTON_EXAMPLES, "simple_recv.py"), "-a", url, "-m", "1000");
  const sender = python(join(PROTON_EXAMPLES, "simple_send.py"), "-a", url, "-m", "1000");
  await Promise.all([sender.exited, receiver.exited]);
  expect(sender.lines.at(-1)).toBe("all messages confirmed");
  expect(receiver.lines).toHaveLength(1_000);
  expect(receiver.lines.at(-1)).toBe("{'sequence': 1000}");
});

test("the engine talks to Proton as its client: it sends, hears a rejection, receives every type, and is drained", async () => {
  const [port = 0] = await freePorts(1);
  const proton = python(PEER, "server", String(port));
  await proton.line((line) => line === "listening");
  const outcomes: string[] = [];
  const bodies: Value[] = [];
  const connection = await connectPeer(
    port,
    { saslClients: [anonymousClient()] },
    {
      outcome: (delivery) => outcomes.push(`${delivery.id} ${delivery.state?.type}`),
      delivered(delivery) {
        const message = decodeMessage(delivery.message, { typed: true }) as Message;
        bodies.push(message.body?.type === "value" ? message.body.value : null);
        delivery.accept();
      },
      flow(sender) {
        while (toSend.length > 0 && sender.canSend()) sender.send(toSend.shift()!);
      },
    },
  );
  const message = (subject: string, value: Value): Uint8Array =>
    encodeMessage({ properties: { subject }, body: { type: "value", value } });
  const toSend = [message("good", "a"), message("bad", "b"), message("large", "c".repeat(200_000))];
  const session = connection.begin();
  session.attachSender("s", { source: {}, target: { address: "types" } });
  await eventually(() => expect(outcomes.toSorted()).toEqual(["0 accepted", "1 rejected", "2 accepted"]));
  await eventually(() =>
    expect(proton.lines.filter((line) => line.startsWith("got"))).toEqual([
      "got good 1",
      "got bad 1",
      "got large 200000",
    ]),
  );
  const receiver = session.attachReceiver("r", { source: { address: "types" }, target: {} });
  receiver.drainCredit(10);
  await eventually(() => expect(receiver.draining).toBe(false));
  expect(bodies).toHaveLength(3);
  expect(receiver).toMatchObject({ credit: 0, deliveryCount: 10 });
  // What it wrote we write in the same way, but for the shortest forms of some types: read again it is the same.
  const again = decodeMessage(encodeMessage({ body: { type: "value", value: bodies[0]! } }), { typed: true });
  expect(again).toEqual({ body: { type: "value", value: bodies[0] } });
  expect(JSON.stringify(bodies[0], (_, value: unknown) => (typeof value === "bigint" ? `${value}n` : value))).toContain(
    '"type":"ulong","value":"18446744073709551615n"',
  );
  connection.close();
  await eventually(() => expect(connection.done).toBe(true));
});
