import { once } from "node:events";
import { join } from "node:path";
import rhea from "rhea";
import { afterEach, beforeEach, expect, test } from "vitest";
import type { Child } from "./harness/child.ts";
import { PROTON_EXAMPLES, startPython } from "./harness/python.ts";
import { RouterProcess } from "./harness/router/router-process.ts";
import { Stack } from "./harness/stack.ts";

/** Clients of others with a real router. */

let stack: Stack;
let router: RouterProcess;
const endings: (() => unknown)[] = [];
beforeEach(async () => {
  stack = new Stack();
  router = await RouterProcess.start(stack);
});
afterEach(async () => {
  for (const end of endings.splice(0).reverse()) await end();
  await stack.dispose();
});

function python(...args: readonly string[]): Child {
  const child = startPython(...args);
  endings.push(() => {
    child.kill("SIGKILL");
    return child.exited;
  });
  return child;
}

test("Proton's own examples work with a router: messages through a queue, and a question with its answer", async () => {
  const at = (address: string): string => `amqp://127.0.0.1:${router.port}/${address}`;
  const sender = python(join(PROTON_EXAMPLES, "simple_send.py"), "-a", at("examples"), "-m", "1000");
  await sender.line((line) => line === "all messages confirmed");
  const receiver = python(join(PROTON_EXAMPLES, "simple_recv.py"), "-a", at("examples"), "-m", "1000");
  expect(await receiver.exited).toEqual({ code: 0, signal: null });
  expect(receiver.lines).toHaveLength(1_000);
  const server = python(join(PROTON_EXAMPLES, "server.py"), "-a", at("questions"));
  const client = python(join(PROTON_EXAMPLES, "client.py"), "-a", at("questions"));
  await client.line((line) => line.includes("BRAVE NEW WORLD") || line.includes("SLITHY TOVES"));
  server.kill("SIGTERM");
});

const REFUSAL = "amqp:not-implemented: Cannot begin transactions: this router has none";

test("Proton is told that there are no transactions", async () => {
  const asks = python(join(import.meta.dirname, "fixtures/amqp/proton_transaction.py"), String(router.port));
  expect(await asks.exited).toEqual({ code: 0, signal: null });
  expect(asks.lines).toEqual([REFUSAL]);
});

test("rhea is told that there are no transactions", async () => {
  const connection = rhea.create_container().connect({ port: router.port, host: "127.0.0.1", reconnect: false });
  const coordinator = rhea.types.wrap_described([], 0x30);
  // What rhea makes of a target that is none of its own.
  const target = { toJSON: () => null, described: () => coordinator };
  const sender = connection.open_sender({ target } as unknown as rhea.SenderOptions);
  await once(sender, "sender_error");
  const { condition, description } = sender.error as rhea.ConnectionError;
  expect(`${condition}: ${description}`).toBe(REFUSAL);
  connection.close();
});
