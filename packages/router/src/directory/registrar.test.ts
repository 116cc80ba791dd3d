import type { ClientMessage } from "@datawire/protocol";
import type { LinkSession } from "@datawire/link";
import { createFakeClock } from "@datawire/runtime/testing";
import { expect, test } from "vitest";
import type { Registered } from "../routing/allotments.ts";
import { Registrar } from "./registrar.ts";

function world() {
  const clock = createFakeClock();
  const members: Registered[] = [];
  const sent: ClientMessage[] = [];
  const session = { send: (message: ClientMessage) => sent.push(message) > 0 } as unknown as LinkSession;
  const registrar = new Registrar({
    clock,
    board: { set() {} },
    members: () => members,
    url: () => "amqp://vm1:5672",
  });
  return { clock, members, sent, session, registrar };
}

const orders = { service: "orders", member: { instance: "vm2", version: "1" } } as Registered;

test("Registrar states an empty set too, once a link: a process before this one may have left another", async () => {
  const { clock, sent, session, registrar } = world();
  registrar.connected(session);
  await clock.advance(10);
  registrar.changed();
  await clock.advance(10);
  expect(sent).toEqual([{ type: "register", seq: 1, instances: [] }]);
  registrar.disconnected();
  registrar.connected(session);
  await clock.advance(10);
  expect(sent).toHaveLength(2);
});

test("Registrar states who receives here, and that nobody does any more", async () => {
  const { clock, members, sent, session, registrar } = world();
  members.push(orders);
  registrar.connected(session);
  await clock.advance(10);
  members.length = 0;
  registrar.changed();
  await clock.advance(10);
  expect(sent).toMatchObject([
    { seq: 1, instances: [{ service: "orders", name: "vm2", url: "amqp://vm1:5672/orders" }] },
    { seq: 2, instances: [] },
  ]);
});
