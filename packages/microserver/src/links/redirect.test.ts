import type { IncomingDelivery } from "@datawire/amqp";
import { createFakeClock } from "@datawire/runtime/testing";
import { expect, test } from "vitest";
import { RunningMicroserver } from "../app/running-microserver.ts";
import { Outbox } from "../outbox/outbox.ts";
import { MemoryRouter } from "../testing/memory-router.ts";
import { Hub } from "./hub.ts";

test("send() goes to the instance that the router names, and to another one when that is gone, with nothing lost", async () => {
  const clock = createFakeClock();
  const router = new MemoryRouter();
  const instances = new Map([7001, 7002].map((port) => [port, new MemoryRouter()] as const));
  let named = 7001;
  router.onAsked = (link) =>
    link.refuse({
      condition: "amqp:link:redirect",
      info: new Map<string, string | number>([
        ["network-host", "10.0.0.7"],
        ["port", named],
        ["address", "barker"],
        ...(named === 7002 ? [["scheme", "amqps"] as const] : []),
      ]),
    });
  const dialed: string[] = [];
  const hub = new Hub(
    { role: "client", open: { containerId: "one" } },
    {
      dial: router.dial,
      dialAt({ host, port, isTls }) {
        dialed.push(`${isTls ? "amqps" : "amqp"}://${host}:${port}`);
        return (instances.get(port) as MemoryRouter).dial;
      },
      clock,
      chance: { number: () => 0.5, id: () => "id" },
    },
  );
  const parts = { hub, outbox: new Outbox(hub, { messages: 100, bytes: 10_000 }), name: null, router: "memory" };
  const microserver = new RunningMicroserver({
    ...parts,
    serve: null,
    container: "one",
    onStall: null,
    stallMs: 5_000,
  });
  const came: string[] = [];
  for (const [port, instance] of instances)
    instance.onDelivered = (delivery: IncomingDelivery) => {
      came.push(`${port}`);
      if (port === 7002) delivery.accept();
    };
  const sends = Promise.all([1, 2].map((n) => microserver.send("//services/barker", n)));
  await clock.advance(0);
  expect(came).toEqual(["7001", "7001"]);
  named = 7002;
  instances.get(7001)?.cut();
  await clock.advance(100);
  await sends;
  expect(came).toEqual(["7001", "7001", "7002", "7002"]);
  expect(dialed).toEqual(["amqp://10.0.0.7:7001", "amqps://10.0.0.7:7002"]);
  await microserver.close();
  expect(clock.pending()).toBe(0);
});
