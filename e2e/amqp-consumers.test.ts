import { afterEach, beforeEach, expect, test } from "vitest";
import { RheaClient } from "./harness/router/rhea-client.ts";
import { RouterProcess } from "./harness/router/router-process.ts";
import { Stack } from "./harness/stack.ts";
import { eventually } from "./harness/wait.ts";

let stack: Stack;
beforeEach(() => {
  stack = new Stack();
});
afterEach(() => stack.dispose());

interface Listed {
  readonly services: readonly {
    readonly service: string;
    readonly instances: readonly {
      readonly name: string;
      readonly version: string | null;
      readonly state: string;
      readonly reason: string | null;
    }[];
  }[];
}

test.each([1, 2])(
  "a service without a URL lives while it listens through a router of %i processes",
  async (processes) => {
    await stack.startDirectory();
    const router = await RouterProcess.start(stack, { directories: [await stack.directoryAddress()], processes });
    stack.writeServiceFile("barker", {
      service: "//barker(2)",
      protocol: "amqp",
      instance: "one",
      liveness: { consumers: 2 },
    });
    const admin = `127.0.0.1:${router.adminPort}`;
    await stack.startWatson({ router: admin });
    const state = async (): Promise<string> => {
      const { services } = await stack.read<Listed>("/v1/services");
      const [one] = services.find(({ service }) => service === "barker")?.instances ?? [];
      return `${one?.name} ${one?.version} ${one?.state} ${one?.reason ?? ""}`.trim();
    };
    const down = (links: string): string =>
      `one 2 down ${links} of this machine at barker of the router at ${admin}, wanted 2`;
    await eventually(async () => expect(await state()).toBe(down("0 links")));
    const some = [await RheaClient.connect(router.port, "a"), await RheaClient.connect(router.port, "b")];
    some[0]?.receive("barker");
    await eventually(async () => expect(await state()).toBe(down("1 link")));
    some[1]?.receive("barker/eu");
    await eventually(async () => expect(await state()).toBe("one 2 live"));
    // What is sent to the service is for whoever listens there: it is no endpoint that the router would connect to.
    const sender = await RheaClient.connect(router.port, "sender");
    await sender.sendAll("barker", ["woof"]);
    await eventually(async () => expect(some[0]?.received).toEqual(["woof"]));
    some[1]?.close();
    await eventually(async () => expect(await state()).toBe(down("1 link")));
    for (const client of [sender, some[0]]) client?.close();
    await router.end("SIGKILL");
    await eventually(async () => expect(await state()).toBe(`one 2 down connection refused by ${admin}`));
  },
);

test("consumers that say nothing of themselves are what the service file of their machine says: a held version gets none", async () => {
  await stack.startDirectory();
  const router = await RouterProcess.start(stack, { directories: [await stack.directoryAddress()] });
  const old = await RheaClient.connect(router.port, "old", { properties: { version: "1" } });
  old.receive("barker");
  await stack.lists("barker", { old: "live" });
  const file = { service: "//barker(2)", protocol: "amqp", instance: "new", liveness: { consumers: 2 } };
  stack.writeServiceFile("barker", file);
  const plain = await RheaClient.connect(router.port, "plain");
  plain.receive("barker");
  await stack.startWatson({ router: `127.0.0.1:${router.adminPort}` });
  await stack.lists("barker", { old: "live", new: "live" });
  const sender = await RheaClient.connect(router.port, "sender");
  let sent = 0;
  // The router hears of the instance when the directory does, or a moment later.
  await eventually(async () => {
    const bodies = Array.from({ length: 20 }, () => `${sent++}`);
    await sender.sendAll("barker", bodies);
    await eventually(async () => expect(old.received.length + plain.received.length).toBe(sent));
    expect(plain.received.filter((body) => bodies.includes(body))).toEqual([]);
  });
  expect(await stack.dw("service", "promote", "//barker(2)")).toMatchObject({ code: 0 });
  await sender.sendAll("barker", ["now"]);
  await eventually(async () => expect(plain.received).toContain("now"));
  for (const client of [old, plain, sender]) client.close();
});
