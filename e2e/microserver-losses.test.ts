import { connect, type ConnectOptions, type Microserver } from "@datawire/microserver";
import { afterEach, beforeEach, expect, test } from "vitest";
import { CuttingProxy } from "./harness/amqp/cutting-proxy.ts";
import { RouterProcess } from "./harness/router/router-process.ts";
import { Stack } from "./harness/stack.ts";
import { eventually } from "./harness/wait.ts";

/**
 * What is lost on the way between the library and the router: what was sent, and what became of it. Each of these fails
 * where the guard against it is taken out: to send again what has no outcome, the numbers of a producer, what was handled.
 */
let stack: Stack;
let router: RouterProcess;
let proxy: CuttingProxy;
const open: Microserver[] = [];
beforeEach(async () => {
  stack = new Stack();
  router = await RouterProcess.start(stack);
  proxy = await CuttingProxy.start(router.port);
});
afterEach(async () => {
  await Promise.all(open.splice(0).map((one) => one.close()));
  await proxy.close();
  await stack.dispose();
});

async function microserver(port: number, options: ConnectOptions = {}): Promise<Microserver> {
  const made = await connect({ url: `127.0.0.1:${port}`, ...options });
  open.push(made);
  return made;
}

const numbers = (count: number): number[] => Array.from({ length: count }, (_, i) => i);

async function waiting(address: string): Promise<number> {
  return (await router.status()).queues.find((queue) => queue.address === address)?.messages ?? 0;
}

/** All that waits at an address, which is empty then. */
async function bodiesAt(address: string, count: number): Promise<unknown[]> {
  const reader = await microserver(router.port);
  const bodies: unknown[] = [];
  const listener = await reader.listen(address, ({ body }) => void bodies.push(body));
  await eventually(() => expect(bodies.length).toBeGreaterThanOrEqual(count));
  await eventually(async () => expect(await waiting(address)).toBe(0));
  await listener.close();
  return bodies;
}

test("what the router did not get is sent again when the connection is lost", async () => {
  const sender = await microserver(proxy.port);
  await sender.send("orders", -1);
  proxy.hearsClient = false;
  const sends = Promise.all(numbers(50).map((n) => sender.send("orders", n)));
  await eventually(() => expect(sender.status.links).toMatchObject([{ address: "orders", unsettled: 50 }]));
  proxy.cut();
  await sends;
  expect(await bodiesAt("orders", 51)).toEqual([-1, ...numbers(50)]);
});

test.each(["lost", "killed"])("what the router took before the connection was %s is taken once", async (how) => {
  const sender = await microserver(proxy.port);
  await sender.send("orders", -1);
  proxy.hearsRouter = false;
  const sends = Promise.all(numbers(50).map((n) => sender.send("orders", n)));
  await eventually(async () => expect(await waiting("orders")).toBe(51));
  expect(sender.status.links).toMatchObject([{ address: "orders", unsettled: 50 }]);
  // What is accepted after them is on disk after them.
  await (await microserver(router.port)).send("orders", -2);
  if (how === "killed") await router.end("SIGKILL");
  if (how === "killed") await router.start();
  proxy.cut();
  await sends;
  expect(await bodiesAt("orders", 52)).toEqual([-1, ...numbers(50), -2]);
});

test("what was handled is not handled again where the router did not hear so", async () => {
  const sender = await microserver(router.port);
  for (const n of numbers(10)) await sender.send("orders", n);
  const listener = await microserver(proxy.port);
  const handled: unknown[] = [];
  let go: () => void = () => {};
  const held = new Promise<void>((resolve) => (go = resolve));
  await listener.listen("orders", async ({ body }) => {
    await held;
    handled.push(body);
  });
  await eventually(() => expect(listener.status.links).toMatchObject([{ address: "orders", unsettled: 10 }]));
  proxy.hearsClient = false;
  go();
  await eventually(() => expect(handled.length).toBe(10));
  proxy.cut();
  await eventually(async () => expect(await waiting("orders")).toBe(0));
  expect(handled).toEqual(numbers(10));
});

test("outputs of a stage whose input comes again, to another process, are accepted once", async () => {
  const sender = await microserver(router.port);
  for (const n of numbers(10)) await sender.send("orders", n);
  const step = ({ body }: { readonly body: unknown }) => ({ body: body as number });
  const first = await microserver(proxy.port, { name: "stage" });
  const invoices = first.send("invoices", -1);
  await invoices;
  let isCut = false;
  await first.pipeline("orders", "invoices", async (message) => {
    // From here on, nothing that the router says of the outputs is heard, so that no input is accepted.
    isCut = true;
    proxy.hearsRouter = false;
    return step(message);
  });
  await eventually(() => expect(isCut).toBe(true));
  const taken = await eventually(async () => {
    const count = await waiting("invoices");
    expect(count).toBeGreaterThan(1);
    return count;
  });
  expect(taken).toBeGreaterThan(1);
  const ended = first.close();
  const second = await microserver(router.port, { name: "stage" });
  await second.pipeline("orders", "invoices", step);
  proxy.cut();
  await ended;
  await eventually(async () => expect(await waiting("orders")).toBe(0));
  expect((await bodiesAt("invoices", 11)).toSorted((a, b) => Number(a) - Number(b))).toEqual([-1, ...numbers(10)]);
});
