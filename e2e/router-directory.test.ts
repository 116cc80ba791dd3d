import { afterEach, beforeEach, expect, test } from "vitest";
import { RheaClient } from "./harness/router/rhea-client.ts";
import { RouterProcess } from "./harness/router/router-process.ts";
import { Stack } from "./harness/stack.ts";
import { eventually } from "./harness/wait.ts";

/** A router with its directory: real processes, and clients of others. */
let stack: Stack;
beforeEach(() => {
  stack = new Stack();
});
afterEach(() => stack.dispose());

interface Routers {
  readonly routers: readonly {
    readonly address: string | null;
    readonly ports: { readonly admin: string | null };
    readonly queues: readonly { readonly address: string; readonly messages: number }[];
    readonly links: readonly { readonly direction: string }[];
    readonly counts: { readonly queues: number };
  }[];
}

test("a router is found through its directory, and goes on without it", async () => {
  const directory = await stack.startDirectory();
  const settings = { directories: [await stack.directoryAddress()] };
  const router = await RouterProcess.start(stack, settings);
  const address = `127.0.0.1:${router.port}`;
  await eventually(async () => {
    const { routers } = await stack.read<Routers>("/v1/routers");
    expect(routers).toMatchObject([{ address, ports: { admin: `127.0.0.1:${router.adminPort}` } }]);
  });
  expect(await stack.dw("send", "//orders", "hello")).toMatchObject({ code: 0, stderr: "note: 1 accepted\n" });
  // The name of the directory in use may stand in front of an address.
  expect(await stack.dw("listen", "//localhost/orders", "--count", "1")).toMatchObject({ code: 0, stdout: "hello\n" });
  const client = await RheaClient.connect(router.port);
  client.receive("orders");
  await eventually(async () => {
    const { routers } = await stack.read<Routers>("/v1/routers");
    expect(routers).toMatchObject([{ queues: [{ address: "orders", messages: 0 }], links: [{ direction: "out" }] }]);
  });
  const status = await stack.dw("status");
  expect(status.stdout).toMatch(/ROUTER +ADDRESS +PROBLEMS +VERSION +SINCE\nlocalhost +127\.0\.0\.1:\d+ +0 /);

  directory.kill("SIGKILL");
  await directory.exited;
  await router.end("SIGKILL");
  await router.start();
  const again = await RheaClient.connect(router.port);
  await again.sendAll("orders", ["without"]);
  again.close();
  client.close();
  expect(await router.end("SIGTERM")).toBe(0);
});
