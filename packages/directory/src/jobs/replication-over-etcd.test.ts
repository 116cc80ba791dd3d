import { noLog } from "@datawire/runtime";
import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import { openEtcdStore } from "../store/etcd/etcd-store.ts";
import { patientClock } from "../store/etcd/testing/followed.ts";
import { type EtcdServer, eventually, startEtcd } from "@datawire/runtime/testing";
import { type Served, serve, watsonOf } from "../testing/served.ts";
import { registration } from "../testing/worlds.ts";

// A real etcd, on a machine that may be busy.

let etcd: EtcdServer;
beforeAll(async () => {
  etcd = await startEtcd();
});
afterAll(() => etcd.dispose());

const open: Served[] = [];
afterEach(async () => {
  await Promise.all(open.splice(0).map((served) => served.stop()));
});

let prefixes = 0;

/** Two directories on one store, which is empty. */
async function startTwo(): Promise<[Served, Served]> {
  const prefix = `/sharing/${++prefixes}`;
  return [await startOn(prefix), await startOn(prefix)];
}

async function startOn(prefix: string): Promise<Served> {
  const leaseMs = 9_000;
  const config = { endpoints: [etcd.url], user: null, tls: null, prefix, address: "//localhost/directory", leaseMs };
  const store = await openEtcdStore(config, { clock: patientClock, log: noLog }, new AbortController().signal);
  const served = await serve({ store, leaseMs });
  open.push(served);
  return served;
}

/** What directories have: `a live of vm1`. */
const both = async (directories: readonly Served[], wanted: string): Promise<void> => {
  for (const served of directories)
    await eventually(async () => {
      const { instances } = (await served.get("/v1/instances")).body;
      const rows = instances as { readonly name: string; readonly state: string; readonly watson: string }[];
      expect(rows.map(({ name, state, watson }) => `${name} ${state} of ${watson}`).join(", ")).toBe(wanted);
    });
};

test("an etcd that has lost everything is told again what the Watsons say, and has no routes any more", async () => {
  const [a, b] = await startTwo();
  await watsonOf(a, "vm1", [registration("x@1:1"), registration("x@2:2")]);
  await both([b], "1 live of vm1, 2 live of vm1");
  await watsonOf(b, "vm2", [registration("x@3:1")]);
  await both([a, b], "1 live of vm1, 2 live of vm1, 3 live of vm2");
  for (let i = 0; i < 5; i++)
    await a.send("POST", "/v1/routes", { source: `//m${i}`, target: "//x(2)", percent: 10, ahead: true });
  await etcd.wipe();
  await etcd.start();
  for (const served of [a, b])
    await eventually(async () => expect((await served.get("/v1/routes")).body["routes"]).toEqual([]));
  await both([a, b], "1 live of vm1, 2 live of vm1, 3 live of vm2");
  const route = { source: "//m", target: "//x(2)", percent: 10, ahead: true };
  await eventually(async () => expect((await b.send("POST", "/v1/routes", route)).status).toBe(200));
  await eventually(async () => expect((await a.get("/v1/routes")).body["routes"]).toHaveLength(1));
});

test("a backup of an embedded store, larger than one transaction of etcd, is restored at both", async () => {
  const old = await serve();
  open.push(old);
  for (let i = 0; i < 150; i++) await old.send("POST", "/v1/services", { service: `//service-${i}` });
  const backup = await fetch(`http://127.0.0.1:${old.port}/v1/backup`);
  const [a, b] = await startTwo();
  const restored = await fetch(`http://127.0.0.1:${a.port}/v1/restore`, {
    method: "POST",
    headers: { "content-type": "application/octet-stream" },
    body: await backup.arrayBuffer(),
  });
  expect(restored.status).toBe(200);
  for (const served of [a, b])
    await eventually(async () => expect((await served.get("/v1/services")).body["services"]).toHaveLength(150));
});
