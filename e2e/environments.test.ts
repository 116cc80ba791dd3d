import { afterEach, beforeEach, expect, test } from "vitest";
import { WebSocket } from "ws";
import { Stack } from "./harness/stack.ts";
import { eventually } from "./harness/wait.ts";

let stack: Stack;
beforeEach(() => {
  stack = new Stack();
});
afterEach(() => stack.dispose());

interface Listed {
  readonly service: string;
  readonly instances: readonly { readonly name: string; readonly state: string }[];
}

test("dw shows and changes the environment that it is told, through restarts of the directory", async () => {
  const directory = await stack.startDirectory([], { environment: "prod" });
  const { directory: port } = await stack.ports();
  const original = new WebSocket(`ws://127.0.0.1:${port}/ws/v1?token=x`);
  await new Promise((resolve, reject) => original.once("open", resolve).once("error", reject));
  const node = { id: "n1", service: "barker", address: "http://127.0.0.1:1", properties: {} };
  for (const [name, version] of [
    ["prod", "1.0"],
    ["staging", "2.0"],
  ]) {
    const environment = { name, fallbackName: null };
    original.send(JSON.stringify({ type: "active", ttl: 300, node: { ...node, version, environment } }));
  }
  const list = (...options: string[]) => stack.dwJson<Listed[]>(...options, "service", "list");
  await eventually(async () => expect(await list("--environment", "staging")).toMatchObject([{ primary: "2" }]));
  expect(await list()).toMatchObject([{ service: "barker", primary: "1" }]);
  expect(await list("--environment", "prod")).toMatchObject([{ primary: "1" }]);
  expect(await list("--environment", "nowhere")).toEqual([]);
  const added = await stack.dw("--environment", "staging", "route", "add", "//*", "//barker(2)", "30%");
  expect(added).toMatchObject({ code: 0 });
  directory.kill("SIGTERM");
  await directory.exited;
  await stack.startDirectory([], { environment: "prod" });
  const routes = (...options: string[]) => stack.dwJson<object[]>(...options, "route", "list");
  expect(await routes("--environment", "staging")).toMatchObject([{ target: "//barker(2)", percent: 30 }]);
  expect(await routes()).toEqual([]);
  expect(await stack.dw("--environment", "No Name", "service", "list")).toMatchObject({
    code: 64,
    stderr: expect.stringContaining('Cannot use "No Name" as an environment name') as string,
  });
  original.terminate();
});
