import { afterEach, expect, test } from "vitest";
import { PeerServer } from "./harness/amqp/peer.ts";
import { Stack } from "./harness/stack.ts";
import { eventually } from "./harness/wait.ts";

const stack = new Stack();
afterEach(() => stack.dispose());

interface Listed {
  readonly services: readonly {
    readonly service: string;
    readonly protocol: string;
    readonly instances: readonly { readonly name: string; readonly state: string; readonly reason: string | null }[];
  }[];
}

test("Watson announces a microserver of amqp while a link to it attaches, and Sherlock leaves it to routers", async () => {
  await stack.startDirectory();
  let known = true;
  const server = new PeerServer({}, () => ({
    linkAsked: (link) => (known ? link.accept() : link.refuse({ condition: "amqp:not-found", description: "gone" })),
  }));
  const port = await server.listen();
  stack.writeServiceFile("barker", {
    service: "//barker",
    protocol: "amqp",
    url: `amqp://127.0.0.1:${port}/barker`,
    instance: "one",
    liveness: { amqp: "attach" },
  });
  const echo = await stack.startInstance({ service: "echo", name: "echo" });
  await Promise.all([stack.startWatson(), stack.startSherlock()]);
  const state = async (): Promise<string> => {
    const { services } = await stack.read<Listed>("/v1/services");
    const barker = services.find(({ service }) => service === "barker");
    const [one] = barker?.instances ?? [];
    return `${barker?.protocol} ${one?.state} ${one?.reason ?? ""}`.trim();
  };
  await eventually(async () => expect(await state()).toBe("amqp live"));
  await stack.reaches("echo", [echo.name]);
  expect((await fetch(await stack.url("/barker/"))).status).toBe(404);
  known = false;
  await eventually(async () => expect(await state()).toMatch(/^amqp down amqp:not-found \(gone\) from 127\.0\.0\.1/));
  known = true;
  await eventually(async () => expect(await state()).toBe("amqp live"));
  await server.close();
  await eventually(async () => expect(await state()).toMatch(/^amqp down connection refused by/));
});
