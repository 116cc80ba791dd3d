import { afterEach, beforeEach, expect, test } from "vitest";
import { WebSocket } from "ws";
import { Replicas } from "./harness/replicas.ts";
import { Stack } from "./harness/stack.ts";
import { eventually } from "./harness/wait.ts";

let stack: Stack;
let replicas: Replicas;
beforeEach(async () => {
  stack = new Stack();
  replicas = await Replicas.start(stack, 2);
});
afterEach(async () => {
  await stack.dispose();
  await replicas.dispose();
});

interface Original {
  readonly socket: WebSocket;
  readonly told: string[];
}

/** A client of the original MDK at one of the directories, made by hand. */
async function connect(index: number): Promise<Original> {
  const socket = new WebSocket(`${replicas.url(index).replace("http", "ws")}/rtp?token=x`);
  await new Promise((resolve, reject) => socket.once("open", resolve).once("error", reject));
  const told: string[] = [];
  socket.on("message", (data) => {
    const { type, node } = JSON.parse((data as Buffer).toString()) as { type: string; node?: { id: string } };
    if (node !== undefined) told.push(`${type} ${node.id}`);
  });
  socket.send(JSON.stringify({ type: "open", version: "2.0.0", nodeId: `n${index}` }));
  return { socket, told };
}

const active = ({ socket }: Original, port: number, environment: string): void => {
  const node = { id: "n", service: "barker", version: "1.0", address: `http://127.0.0.1:${port}`, properties: {} };
  const placed = { ...node, environment: { name: environment, fallbackName: null } };
  socket.send(JSON.stringify({ type: "active", ttl: 300, node: placed }));
};

async function barkersAt(index: number, environment: string): Promise<string> {
  const answer = await fetch(`${replicas.url(index)}/v1/services?environment=${environment}`);
  const { services } = (await answer.json()) as { services: { instances: { name: string; state: string }[] }[] };
  return services.flatMap(({ instances }) => instances.map(({ name, state }) => `${name} ${state}`)).join(", ");
}

test("what an original registers at one directory is known at the other, in its environment, and outlives the first", async () => {
  const first = await connect(0);
  active(first, 1, "sandbox");
  active(first, 2, "staging");
  for (const index of [0, 1]) {
    await eventually(async () => expect(await barkersAt(index, "sandbox")).toBe("127.0.0.1-1 live"));
    await eventually(async () => expect(await barkersAt(index, "staging")).toBe("127.0.0.1-2 live"));
  }
  const second = await connect(1);
  await eventually(() => expect(second.told.toSorted()).toEqual(["active 127.0.0.1-1", "active 127.0.0.1-2"]));
  active(first, 3, "later");
  await eventually(() => expect(second.told).toContain("active 127.0.0.1-3"));
  await replicas.end(0, "SIGKILL");
  await eventually(async () => expect(await barkersAt(1, "staging")).toBe("127.0.0.1-2 lost"));
  active(second, 2, "staging");
  await eventually(async () => expect(await barkersAt(1, "staging")).toBe("127.0.0.1-2 live"));
  // Its ttl is minutes, and the lease of the directory some seconds; each environment has a lease of its own.
  await eventually(async () => expect(await barkersAt(1, "sandbox")).toBe("127.0.0.1-1 lost"));
  second.socket.terminate();
});
