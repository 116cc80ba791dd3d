import { createHash } from "node:crypto";
import { once } from "node:events";
import { goodCertificate, testAuthority, wrongCertificate } from "@datawire/runtime/testing";
import { parsePattern, type RouterToken } from "@datawire/protocol";
import rhea from "rhea";
import { afterEach, beforeEach, expect, test } from "vitest";
import { createAccess } from "../access/access.ts";
import { TokenBook } from "../access/token-book.ts";
import { RheaReceiver, RheaSender, Served } from "./testing/served.ts";

/** rhea speaks EXTERNAL only where it is told to, and its types do not know that. */
const EXTERNAL: object = { enable_sasl_external: true };

/** What a certificate calls itself that the authority of the tests has signed. */
const CERTIFIED = "other.example";

const users = [
  { name: "bob", password: "secret", send: [parsePattern("orders/**")], listen: [parsePattern("topic/**")] },
  { name: "ann", password: "other", send: [parsePattern("**")], listen: [parsePattern("**")] },
  { name: CERTIFIED, password: null, send: [parsePattern("orders")], listen: [] },
];

let served: Served;
beforeEach(async () => {
  served = await Served.start([], createAccess({ users, tokens: null }));
});
afterEach(() => served.close());

const as = (username: string, password: string) => served.connect("client", { username, password });

test.each([
  ["bob", "wrong"],
  ["nobody", "secret"],
  ["other.example", ""],
])("%s with the password %j does not come in, and is told no more", async (username, password) => {
  const connection = rhea
    .create_container()
    .connect({ port: served.port, host: "127.0.0.1", reconnect: false, username, password });
  const [context] = (await Promise.race([once(connection, "connection_error"), once(connection, "disconnected")])) as [
    rhea.EventContext,
  ];
  expect(context.connection.is_open()).toBe(false);
});

test("who does not say who it is does not come in", async () => {
  const connection = rhea.create_container().connect({ port: served.port, host: "127.0.0.1", reconnect: false });
  connection.on("connection_error", () => {});
  const [context] = (await once(connection, "disconnected")) as [rhea.EventContext];
  expect(context.connection.is_open()).toBe(false);
});

test("a user may do what its patterns say, and is told what not", async () => {
  const bob = await as("bob", "secret");
  expect(await (await RheaSender.open(bob, "orders/eu")).send({ body: "x" })).toBe("accepted");
  await RheaReceiver.open(bob, { source: "topic/news" });
  await expect(RheaSender.open(bob, "invoices")).rejects.toThrow(
    "amqp:unauthorized-access: Cannot attach: this user has no right to send to invoices",
  );
  await expect(RheaReceiver.open(bob, { source: "orders/eu" })).rejects.toThrow("no right to receive from orders/eu");
  await expect(RheaSender.open(bob, "$management")).rejects.toThrow("no right to manage this router");
  const relay = await RheaSender.open(bob, { target: {} });
  expect(await relay.send({ to: "orders/us", body: "x" })).toBe("accepted");
  expect(await relay.send({ to: "invoices", body: "x" })).toContain("no right to send to invoices");
  const ann = await as("ann", "other");
  const receiver = await RheaReceiver.open(ann, { source: "orders/eu" });
  expect((await receiver.take(1)).map(({ message }) => message.body as unknown)).toEqual(["x"]);
  await RheaSender.open(ann, "$management");
});

const secretOf = (letter: string): string => letter.repeat(43);
const tokenOf = (letter: string): string => `dw1_${secretOf(letter)}`;
const known = (letter: string, fields: Partial<RouterToken>): RouterToken => ({
  id: letter.repeat(8),
  hash: createHash("sha256").update(secretOf(letter)).digest("base64url"),
  scram: null,
  role: "client",
  tenant: null,
  send: null,
  listen: null,
  expiresMs: null,
  ...fields,
});

test("a token may do what it says, until it is revoked or ends, and a tenant's addresses are its own", async () => {
  let nowMs = 0;
  const book = new TokenBook(() => nowMs);
  book.set([
    known("a", { send: ["orders/**"], listen: ["orders/*"] }),
    known("b", { role: "operator", expiresMs: 1_000 }),
    known("c", { tenant: "acme", send: ["**"], listen: ["**"] }),
  ]);
  const access = createAccess({ users, tokens: book });
  const router = await Served.start([], access);
  try {
    const come = (letter: string) => router.connect(letter, { username: "whoever", password: tokenOf(letter) });
    const [a, b, c] = [await come("a"), await come("b"), await come("c")];
    expect(await (await RheaSender.open(a, "orders/eu")).send({ body: "of nobody" })).toBe("accepted");
    expect(await (await RheaSender.open(c, "orders/eu")).send({ body: "of acme" })).toBe("accepted");
    const relay = await RheaSender.open(c, { target: {} });
    expect(await relay.send({ to: "//orders/eu", body: "relayed" })).toBe("accepted");
    await expect(RheaSender.open(a, "invoices")).rejects.toThrow("amqp:unauthorized-access");
    await expect(RheaSender.open(c, "$management")).rejects.toThrow("no right to manage");
    await RheaSender.open(b, "$management");
    const ofA = await RheaReceiver.open(a, { source: "orders/eu" });
    const ofC = await RheaReceiver.open(c, { source: "orders/eu" });
    expect((await ofA.take(1)).map(({ message }) => message.body as unknown)).toEqual(["of nobody"]);
    const acme = (await ofC.take(2)).map(({ message }) => message.body as unknown);
    expect(acme).toEqual(["of acme", "relayed"]);
    expect(access.verify(tokenOf("a"))).toMatchObject({ identity: "aaaaaaaa" });
    expect(access.verify(tokenOf("d"))).toBe(null);
    nowMs = 1_000;
    expect(access.holds("bbbbbbbb")).toBe(false);
    book.set([known("c", { tenant: "acme", send: ["**"], listen: ["**"] })]);
    expect(["aaaaaaaa", "cccccccc"].map((id) => access.holds(id))).toEqual([false, true]);
    const ended = once(a, "connection_error");
    router.review();
    await ended;
    expect(a.error).toMatchObject({ condition: "amqp:unauthorized-access" });
    expect(c.is_open()).toBe(true);
  } finally {
    await router.close();
  }
});

test("over TLS, a certificate of the authority says who somebody is", async () => {
  const tls = { ...goodCertificate, clientCa: testAuthority };
  const secure = await Served.start([], createAccess({ users, tokens: null }), tls);
  try {
    const options = { transport: "tls" as const, ca: [testAuthority], servername: "localhost" };
    const certified = await secure.connect("client", { ...options, ...wrongCertificate, ...EXTERNAL });
    expect(await (await RheaSender.open(certified, "orders")).send({ body: "x" })).toBe("accepted");
    await expect(RheaReceiver.open(certified, { source: "orders" })).rejects.toThrow("amqp:unauthorized-access");
    const bob = await secure.connect("client", { ...options, username: "bob", password: "secret" });
    expect(await (await RheaSender.open(bob, "orders/eu")).send({ body: "x" })).toBe("accepted");
  } finally {
    await secure.close();
  }
});
