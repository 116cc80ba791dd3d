import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { connect, type ConnectOptions, type Microserver, Reject } from "@datawire/microserver";
import { freePorts, goodCertificate, testAuthority } from "@datawire/runtime/testing";
import { afterEach, beforeEach, expect, test } from "vitest";
import type { Child } from "./harness/child.ts";
import { RouterProcess } from "./harness/router/router-process.ts";
import { Stack } from "./harness/stack.ts";
import { eventually } from "./harness/wait.ts";

/** Microservers with ports of their own. */
let stack: Stack;
const open: Microserver[] = [];
beforeEach(() => {
  stack = new Stack();
});
afterEach(async () => {
  await Promise.all(open.splice(0).map((one) => one.close()));
  await stack.dispose();
});

async function microserver(options: ConnectOptions): Promise<Microserver> {
  const made = await connect(options);
  open.push(made);
  return made;
}

const numbers = (count: number): number[] => Array.from({ length: count }, (_, i) => i);

const codeOf = (promise: Promise<unknown>): Promise<unknown> =>
  promise.then(
    () => "none",
    (error: { code?: string }) => error.code ?? error,
  );

test("a pipeline of three stages without a router between them loses and doubles nothing, the middle one killed again and again", async () => {
  const router = await RouterProcess.start(stack);
  const ports = await freePorts(3);
  const start = (stage: number): Child => {
    const [name = "", next = ""] = ["parse", "price", "invoice", "invoices"].slice(stage);
    const url = stage === 2 ? `127.0.0.1:${router.port}` : `127.0.0.1:${ports[stage + 1]}`;
    return stack.startExample("messaging/direct-stage.ts", [name, String(ports[stage]), next, url]);
  };
  const isReady = (line: string): boolean => line.includes("takes links at");
  const stages = [start(0), start(1), start(2)];
  await Promise.all(stages.map((stage) => stage.line(isReady)));

  const receiver = await microserver({ url: `127.0.0.1:${router.port}` });
  const got: { n: number; price: boolean }[] = [];
  await receiver.listen("invoices", ({ body }) => void got.push(body as never), { concurrency: 100 });
  const sender = await microserver({ url: `127.0.0.1:${ports[0]}` });
  let accepted = 0;
  const sends = Promise.all(
    numbers(1_000).map((n) => sender.send("parse", { n }, { id: `order ${n}` }).then(() => accepted++)),
  );
  for (const part of [100, 300, 500]) {
    await eventually(() => expect(accepted).toBeGreaterThanOrEqual(part));
    stages[1]?.kill("SIGKILL");
    await stages[1]?.exited;
    stages[1] = start(1);
  }
  await sends;
  await eventually(() => expect(got.length).toBeGreaterThanOrEqual(1_000));
  expect(got.map(({ n }) => n).toSorted((a, b) => a - b)).toEqual(numbers(1_000));
  expect(got.every(({ price }) => price)).toBe(true);
  // That the last ones were taken, the router hears a moment later.
  await eventually(async () => {
    const { queues } = await router.status();
    expect(queues.filter(({ messages }) => messages > 0)).toEqual([]);
  });
});

test("stages that the router names to each other lose and double nothing, while each of two in the middle is killed in turn", async () => {
  await stack.startDirectory([], { lease: "5s" });
  const directory = await stack.directoryAddress();
  const router = await RouterProcess.start(stack, { directories: [directory] });
  const env = { DATAWIRE_DIRECTORY: directory, DATAWIRE_ROUTER: `127.0.0.1:${router.port}` };
  const start = async (...args: readonly string[]): Promise<Child> => {
    const child = stack.startExample("messaging/direct-stage.ts", [args[0] ?? "", "0", args[1] ?? ""], env);
    await child.line((line) => line.includes("takes links at"));
    return child;
  };
  const middle = await Promise.all([start("price", "//invoice"), start("price", "//invoice")]);
  await Promise.all([start("parse", "//price"), start("invoice", "//invoices")]);
  await eventually(async () => {
    const { services } = await stack.read<{ services: { service: string; live: number }[] }>("/v1/services");
    expect(services.length).toBe(3);
  });

  const receiver = await microserver({ url: env.DATAWIRE_ROUTER });
  const got: { n: number; price: boolean }[] = [];
  await receiver.listen("invoices", ({ body }) => void got.push(body as never), { concurrency: 100 });
  const sender = await microserver({ url: env.DATAWIRE_ROUTER, direct: true });
  let accepted = 0;
  const sends = Promise.all(
    numbers(600).map((n) => sender.send("//parse", { n }, { id: `order ${n}` }).then(() => accepted++)),
  );
  for (const [i, part] of [50, 150, 250, 350].entries()) {
    await eventually(() => expect(accepted).toBeGreaterThanOrEqual(part));
    middle[i % 2]?.kill("SIGKILL");
    await middle[i % 2]?.exited;
    middle[i % 2] = await start("price", "//invoice");
  }
  await sends;
  await eventually(() => expect(got.length).toBeGreaterThanOrEqual(600));
  expect(got.map(({ n }) => n).toSorted((a, b) => a - b)).toEqual(numbers(600));
  expect(got.every(({ price }) => price)).toBe(true);
  // What went past the router, it has no address for.
  await eventually(async () =>
    expect((await router.status()).queues).toMatchObject([{ address: "invoices", messages: 0 }]),
  );
});

test("serve() takes links, answers, refuses, is registered while it is open, and finishes what it has begun", async () => {
  await stack.startDirectory();
  process.env["DATAWIRE_DIRECTORY"] = await stack.directoryAddress();
  const server = await microserver({ url: "127.0.0.1:1", name: "kennel", version: "2.1" });
  let end: () => void = () => {};
  let begun = 0;
  const handle = async ({ body }: { readonly body: unknown }) => {
    if (body === "bad") throw new Reject("no such dog");
    begun++;
    if (body === "slow") await new Promise<void>((resolve) => (end = resolve));
    return { heard: body as string };
  };
  const port = await server.serve("//barker", handle, { instance: "rex", tags: ["loud"] });
  delete process.env["DATAWIRE_DIRECTORY"];
  await stack.lists("barker", { rex: "live" });
  const { services } = await stack.read<{ services: object[] }>("/v1/services");
  expect(services).toMatchObject([{ service: "barker", protocol: "amqp" }]);

  const caller = await microserver({ url: new URL(port.address).host });
  expect((await caller.request("barker", "woof")).body).toEqual({ heard: "woof" });
  expect(await codeOf(caller.send("barker", "bad"))).toBe("rejected");
  expect(await codeOf(caller.send("meower", 1))).toBe("not_found");
  expect(await codeOf(caller.listen("barker", () => {}))).toBe("invalid_argument");
  expect(await codeOf(server.serve("barker/x", handle))).toBe("invalid_argument");
  expect(await codeOf(server.serve("barker", handle, { host: "0.0.0.0" }))).toBe("invalid_argument");
  const taken = server.serve("barker", handle, { port: Number(new URL(port.address).port) });
  expect(await codeOf(taken)).toBe("invalid_argument");

  const slow = caller.send("barker", "slow");
  await eventually(() => expect(begun).toBe(2));
  const closed = port.close();
  await stack.lists("barker", {});
  end();
  await Promise.all([slow, closed]);
});

test("microservers speak TLS and prove themselves, to the router and to each other", async () => {
  const files = { cert: join(stack.folder, "cert.pem"), key: join(stack.folder, "key.pem") };
  writeFileSync(files.cert, goodCertificate.cert);
  writeFileSync(files.key, goodCertificate.key);
  const [tlsPort = 0] = await freePorts(1);
  await RouterProcess.start(stack, {
    tls: files,
    tls_listen: `127.0.0.1:${tlsPort}`,
    users: [{ name: "bob", password: "secret", send: ["orders"], listen: ["orders"] }],
  });
  const url = `amqps://localhost:${tlsPort}`;
  const bob = await microserver({ url, ca: testAuthority, name: "bob", token: "secret" });
  await bob.listen("orders", ({ body }) => body);
  expect((await bob.request("orders", 7)).body).toBe(7);
  expect(await codeOf(bob.send("others", 1))).toBe("unauthorized");

  // Who is not let in is not told why, tries on, and can be told to stop.
  const stop = new AbortController();
  const eve = await microserver({ url, ca: testAuthority, name: "bob", token: "guessed", signal: stop.signal });
  const stranger = await microserver({ url, name: "bob", token: "secret", signal: stop.signal });
  const [waits, trusts] = [codeOf(eve.send("orders", 1)), codeOf(stranger.send("orders", 1))];
  await eventually(() => {
    expect(eve.status).toMatchObject({
      state: "connecting",
      failure: expect.stringMatching(/^Cannot authenticate at .*the router refused the token/),
    });
    expect(stranger.status).toMatchObject({ state: "connecting", failure: expect.stringMatching(/certificate/i) });
  });
  stop.abort();
  expect(await Promise.all([waits, trusts])).toEqual(["closed", "closed"]);

  const { cert, key } = goodCertificate;
  const asked: string[] = [];
  const port = await bob.serve("barker", () => "woof", {
    host: "localhost",
    tls: { cert, key },
    isRegistered: false,
    allow: async (user, password) => {
      asked.push(user);
      if (user === "faulty") throw new Error("nobody knows");
      return password === "biscuit";
    },
  });
  const at = { url: port.address.replace(/\/barker$/, ""), ca: testAuthority };
  const caller = await microserver({ ...at, name: "rex", token: "biscuit" });
  expect((await caller.request("barker", 1)).body).toBe("woof");
  const leave = new AbortController();
  const others = [
    { name: "rex", token: "bone" },
    { name: "faulty", token: "biscuit" },
    {}, // nobody
  ];
  const refused = await Promise.all(others.map((other) => microserver({ ...at, ...other, signal: leave.signal })));
  const left = refused.map((one) => codeOf(one.request("barker", 1)));
  await eventually(() => {
    // Who says nothing of himself is told with the first bytes that it takes a login.
    for (const { status } of refused)
      expect(status).toMatchObject({
        state: "connecting",
        failure: expect.stringMatching(/^Cannot authenticate at /),
      });
  });
  leave.abort();
  expect(new Set(await Promise.all(left))).toEqual(new Set(["closed"]));
  expect(new Set(asked)).toEqual(new Set(["rex", "faulty"]));
});
