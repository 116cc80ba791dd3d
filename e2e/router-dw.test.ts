import { once } from "node:events";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { freePorts, goodCertificate, testAuthority } from "@datawire/runtime/testing";
import { afterEach, beforeEach, expect, test } from "vitest";
import { RheaClient } from "./harness/router/rhea-client.ts";
import { RouterProcess } from "./harness/router/router-process.ts";
import { Stack } from "./harness/stack.ts";
import { eventually } from "./harness/wait.ts";

/** `dw` and a real router: every verb about messages, with what it prints and how it ends. */
let stack: Stack;
beforeEach(() => {
  stack = new Stack();
});
afterEach(() => stack.dispose());

type Ran = Promise<{ readonly code: number | null; readonly output: string }>;

/** Runs `dw` with a router; the output is all that it said. */
function dwAt(router: string, env: Readonly<Record<string, string>> = {}): (...args: string[]) => Ran {
  return async (...args) => {
    const [verb = "", ...rest] = args;
    const noun = ["queue", "link", "topic"].includes(verb) ? rest.splice(0, 1) : [];
    const child = stack.start("dw", [verb, ...noun, "-r", router, ...rest], env);
    const { code } = await child.exited;
    return { code, output: child.lines.join("\n") };
  };
}

test("dw sends and listens, and says what there is and why nothing moves", async () => {
  const router = await RouterProcess.start(stack);
  const dw = dwAt(`localhost:${router.port}`);
  const listening = dw("listen", "//orders", "--count", "2");
  expect(await dw("send", "//orders", "hello", "world")).toEqual({ code: 0, output: "note: 2 accepted" });
  expect(await listening).toEqual({ code: 0, output: "hello\nworld" });
  expect((await dw("send", "//topic/news", "a", "--json")).output.replaceAll(/\s/g, "")).toBe(
    '{"sent":1,"accepted":1,"rejected":0,"released":0}',
  );
  expect(
    JSON.parse((await dw("listen", "topic/news", "--from", "first", "--count", "1", "--json")).output),
  ).toMatchObject({
    address: "topic/news",
    body: "a",
    offset: 1,
  });
  await dw("send", "orders", "waits");
  expect(await dw("why", "orders")).toEqual({
    code: 0,
    output: "orders is stalled: 1 message waits, and nobody receives",
  });
  expect(JSON.parse((await dw("queue", "list", "--json")).output)).toMatchObject([
    { address: "orders", kind: "queue", state: "stalled", reason: "no-consumer", messages: 1, consumers: 0, dead: 0 },
    { address: "topic/news", kind: "topic" },
  ]);
  const idle = await RheaClient.connect(router.port, "sleeper");
  idle.receive("orders", { credit: 0 });
  await eventually(async () => {
    const { output } = await dw("link", "list", "--json");
    expect(JSON.parse(output)).toMatchObject(
      expect.arrayContaining([
        expect.objectContaining({
          container: "sleeper",
          direction: "out",
          address: "orders",
          state: "stalled",
          reason: "no-credit",
          lag: 1,
        }),
      ]) as object,
    );
  });
  expect((await dw("why", "orders")).output).toContain("1 message waits, and none of 1 consumer gives credit");
  idle.close();
  expect((await dw("listen", "orders", "--keep", "--count", "1")).output).toBe("waits");
  const tried = await dw("queue", "purge", "orders", "--dry-run");
  expect(tried).toEqual({ code: 0, output: "note: Nothing is changed; 1 messages would be dropped" });
  expect((await dw("queue", "purge", "orders")).output).toBe("note: 1 messages dropped");
  expect((await dw("listen", "orders", "--timeout", "100ms")).code).toBe(1);
  const client = await RheaClient.connect(router.port);
  const rejecting = client.connection.open_receiver({ source: "orders", autoaccept: false });
  rejecting.on("message", ({ delivery }) => delivery?.reject({ condition: "my:reason", description: "ugly" }));
  const rejected = once(rejecting, "message");
  await dw("send", "orders", "bad", "--subject", "s");
  await rejected;
  client.close();
  const dead = async (): Promise<unknown> => JSON.parse((await dw("queue", "dead", "list", "orders", "--json")).output);
  expect(await dead()).toMatchObject([{ reason: "ugly", subject: "s" }]);
  expect((await dw("queue", "dead", "retry", "orders")).output).toBe("note: 1 messages put back");
  expect(await dead()).toEqual([]);
  expect((await dw("queue", "move", "orders", "elsewhere")).output).toBe("note: 1 messages moved");
  expect((await dw("listen", "elsewhere", "--count", "1")).output).toBe("bad");
  expect(await dw("send", "a b", "x")).toMatchObject({
    code: 1,
    output: expect.stringContaining("as an address") as string,
  });
});

test("dw makes, shows, changes and removes queues and topics, which are so after a restart too", async () => {
  const router = await RouterProcess.start(stack, { addresses: [{ match: "strict/**", create: false }] });
  const dw = dwAt(`localhost:${router.port}`);
  const json = async (...args: string[]): Promise<unknown> => JSON.parse((await dw(...args, "--json")).output);
  expect(await dw("send", "strict/orders", "x")).toMatchObject({
    code: 1,
    output: expect.stringContaining("`create: false` keeps it from being made") as string,
  });
  expect(await dw("queue", "create", "strict/orders", "--max-messages", "1", "--overflow", "reject")).toEqual({
    code: 0,
    output: "note: strict/orders created",
  });
  expect(await dw("queue", "create", "strict/orders")).toMatchObject({
    code: 1,
    output: expect.stringContaining("Cannot create strict/orders: it is there already") as string,
  });
  expect(await dw("send", "strict/orders", "a", "b")).toEqual({
    code: 1,
    output: "note: message 2 was rejected: Cannot take a message at strict/orders: it has max_messages, 1",
  });
  expect(await json("queue", "set", "//strict/orders", "--max-messages", "2", "--dedupe", "5m")).toMatchObject({
    own: { maxMessages: 2, overflow: "reject", dedupeMs: 300_000 },
  });
  expect(await dw("queue", "set", "strict/orders", "--max-bytes", "many")).toEqual({
    code: 64,
    output: 'dw: Cannot use "many" as max_bytes: wanted a size such as 64KiB, 10MiB or 1GB, or none, or default',
  });
  expect(await dw("queue", "set", "strict/orders")).toMatchObject({
    code: 64,
    output: expect.stringContaining("wanted an option that says what is to hold") as string,
  });
  expect(await json("topic", "create", "topic/news", "--retention-bytes", "none")).toMatchObject({
    kind: "topic",
    settings: { retention: { ageMs: 604_800_000, bytes: null } },
    subscriptions: [],
  });
  expect((await dw("queue", "show", "topic/news")).output).toBe("dw: Cannot use topic/news as a queue: it is a topic");
  await dw("listen", "topic/news", "--name", "mine", "--timeout", "10ms");
  await router.end("SIGKILL");
  await router.start();
  expect(await json("queue", "show", "strict/orders")).toMatchObject({
    address: "strict/orders",
    messages: 1,
    settings: { create: false, maxMessages: 2, overflow: "reject", dedupeMs: 300_000, maxDeliveries: 10 },
    links: [],
  });
  expect(await json("topic", "show", "topic/news")).toMatchObject({
    settings: { retention: { bytes: null } },
    subscriptions: [{ container: "dw", name: "mine", isAttached: false, lag: 0, unsettled: 0 }],
  });
  expect((await dw("queue", "show", "strict/orders")).output).toMatch(/max_messages +2/);
  expect(await json("queue", "set", "strict/orders", "--max-messages", "default")).toMatchObject({
    settings: { maxMessages: null },
  });
  expect(await json("topic", "list")).toMatchObject([{ address: "topic/news", kind: "topic" }]);
  expect((await dw("topic", "remove", "topic/news")).output).toBe("note: topic/news removed");
  expect((await dw("queue", "remove", "strict/orders")).output).toBe("note: strict/orders removed");
  expect((await dw("queue", "show", "strict/orders")).output).toContain("there is no such queue or topic");
  expect((await dw("topic", "list")).output).toBe("note: the router has no topic yet: they are made on first use");
});

test("dw tells since when something is unsettled, and what keeps a consumer from more", async () => {
  const router = await RouterProcess.start(stack, { limits: { unsettled: 2 } });
  const dw = dwAt(`localhost:${router.port}`);
  const consumer = await RheaClient.connect(router.port, "slow");
  consumer.receive("orders", { accepts: false, credit: 10 });
  await dw("send", "orders", "a", "b", "c");
  await eventually(async () => {
    const { output } = await dw("why", "orders", "--json");
    expect(JSON.parse(output)).toMatchObject({
      kind: "queue",
      reason: "unsettled-limit",
      links: [{ direction: "out", unsettled: 2, lag: 1, reason: "unsettled-limit", version: null }],
    });
  });
  const list = async (): Promise<readonly { readonly oldestUnsettledMs: number | null }[]> =>
    JSON.parse((await dw("link", "list", "--json")).output) as never;
  const age = async (): Promise<number> =>
    (await list()).find((link) => link.oldestUnsettledMs !== null)?.oldestUnsettledMs ?? -1;
  const first = await age();
  expect(first).toBeGreaterThan(0);
  expect(await age()).toBeGreaterThan(first);
  consumer.close();
});

test("dw says who it is over TLS, by user and password or by its token, and trusts the authority of its settings", async () => {
  const file = (name: string, text: string): string => {
    writeFileSync(join(stack.folder, name), text, { mode: 0o600 });
    return join(stack.folder, name);
  };
  const tls = { cert: file("cert.pem", goodCertificate.cert), key: file("key.pem", goodCertificate.key) };
  const [port] = await freePorts(1);
  const password = `dw1_${"a".repeat(43)}`;
  const router = await RouterProcess.start(stack, {
    tls,
    tls_listen: `127.0.0.1:${port}`,
    users: [
      { name: "bob", password, send: ["**"], listen: ["**"] },
      { name: "eve", password, send: ["orders"], listen: ["orders"] },
    ],
  });
  const config = file("dw.yaml", `tls: { ca: ${file("ca.pem", testAuthority)} }\n`);
  const send = (at: string, env = {}): Ran => dwAt(at, env)("send", "orders", "x", "-c", config);
  expect(await send(`amqps://bob:${encodeURIComponent(password)}@localhost:${port}`)).toEqual({
    code: 0,
    output: "note: 1 accepted",
  });
  expect(await send(`amqp://bob:${encodeURIComponent(password)}@localhost:${router.port}`)).toEqual({
    code: 0,
    output: "note: 1 accepted",
  });
  expect(await dwAt(`amqp://eve:${password}@localhost:${router.port}`)("queue", "list")).toEqual({
    code: 77,
    output: "dw: Cannot attach: this user has no right to manage this router",
  });
  // PLAIN's password is the token.
  expect(await send(`amqps://bob@localhost:${port}`, { DATAWIRE_TOKEN: password })).toMatchObject({ code: 0 });
  expect(await send(`amqps://bob:wrong@localhost:${port}`)).toMatchObject({
    code: 77,
    output: `dw: Cannot authenticate at amqps://localhost:${port}: the router refused the user and password of the url`,
  });
  expect(await dwAt(`amqps://localhost:${port}`)("send", "orders", "x")).toMatchObject({
    code: 69,
    output: expect.stringContaining(`Cannot reach a router at amqps://localhost:${port}: `) as string,
  });
  expect(await send("amqps://bob:s@a b")).toMatchObject({
    code: 64,
    output: expect.stringContaining("as the address of a router: wanted HOST[:PORT]") as string,
  });
});
