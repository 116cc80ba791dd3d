import type { LinkReport, QueueReport, RouterReport } from "@datawire/protocol";
import { expect, test } from "vitest";
import type { ClientReport } from "../link/clients/connected-clients.ts";
import type { ApiContext } from "./context.ts";
import { routersFor } from "./status.ts";

const queue = (address: string): QueueReport => ({
  address,
  kind: "queue",
  state: "idle",
  reason: null,
  messages: 1,
  bytes: 1,
  unsettled: 0,
  oldestMs: 0,
  senders: 1,
  consumers: 0,
  inPerS: 0,
  outPerS: 0,
  dead: 0,
});

const link = (address: string | null, peer: string): LinkReport => ({
  router: "vm1",
  container: "app",
  user: null,
  peer,
  link: `to ${address}`,
  direction: "in",
  address,
  version: null,
  state: "idle",
  reason: null,
  credit: 1,
  window: null,
  unsettled: 0,
  oldestUnsettledMs: null,
  delivered: 0,
  lag: null,
});

const report = (queues: QueueReport[], links: LinkReport[]): RouterReport => ({
  host: "vm1",
  ports: { amqp: "vm1:5672", amqps: null, web: null, admin: null },
  queues,
  links,
  counts: { queues: queues.length, links: links.length, connections: 9 },
});

const client = (name: string, router: RouterReport): ClientReport => ({
  kind: "router",
  name,
  id: name,
  version: "1",
  zone: null,
  sinceMs: 0,
  position: null,
  problems: [{ subject: "orders", message: "is full" }],
  router,
});

test("routersFor() gives a tenant its own routers, and its part of those that serve all, with nothing of others", async () => {
  const names = ["orders", "@acme/orders", "@acme/dead/orders", "@acme2/orders"];
  const links = [
    link("@acme/orders", "a:1"),
    link("@acme/orders", "a:1"),
    link("@acme2/orders", "b:1"),
    link(null, "c:1"),
  ];
  const shared = client("vm2", report(names.map(queue), links));
  const own = client("vm1", report([queue("@acme/prices")], []));
  const context = {
    links: { clients: () => [own] },
    shared: { tenant: "acme", clients: async () => [shared, { ...shared, kind: "sherlock" }] },
  } as unknown as ApiContext;
  const routers = await routersFor(context);
  expect(routers.map(({ name, queues }) => [name, queues.map(({ address }) => address)])).toEqual([
    ["vm1", ["prices"]],
    ["vm2", ["orders", "dead/orders"]],
  ]);
  expect(routers[1]).toMatchObject({
    ports: { amqp: "vm1:5672" },
    links: [{ address: "orders" }, { address: "orders" }],
    counts: { queues: 2, links: 2, connections: 1 },
    problems: [],
  });
  expect(await routersFor({ ...context, shared: null })).toMatchObject([{ name: "vm1", problems: [{}] }]);
});
