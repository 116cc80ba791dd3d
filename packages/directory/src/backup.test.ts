import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { makeBackup, readBackup, readAll, restoreAll, restoreInto, setAside } from "./store/backup.ts";
import { openEmbeddedStore, STORE_FILE } from "./store/embedded.ts";
import { listTenantFolders, tenantFolder } from "./store/tenant-folders.ts";
import { MemoryStore } from "./testing/memory-store.ts";
import { serve, watsonOf } from "./testing/served.ts";
import { registration } from "./testing/worlds.ts";

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "datawire-backup-test-"));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const stored = {
  watson: { id: "id-of-vm1", name: "vm1", version: "0.1.0" },
  registration: registration("barker@a:1"),
  order: 3,
  sinceMs: 4,
};

test("makeBackup() and readBackup() carry records and registrations over, of tenants too", async () => {
  const store = new MemoryStore();
  await store.commit([{ key: "caller/m", value: { name: "m", kind: "sherlock", seenMs: 1 }, expected: 0 }]);
  await store.saveRegistrations({ stored: [stored], gone: [] });
  const theirs = { records: [{ key: "caller/t", value: { name: "t" }, version: 7 }], registrations: [stored] };
  const tenants = new Map([["acme", theirs]]);
  const backup = await readBackup(await makeBackup({ ...(await store.load()), tenants }));
  expect(backup.records).toMatchObject([{ key: "caller/m", value: { name: "m" } }]);
  expect(backup.registrations).toEqual([stored]);
  expect([...backup.tenants]).toMatchObject([
    ["acme", { records: [{ key: "caller/t", value: { name: "t" } }], registrations: [stored] }],
  ]);
});

test.each([
  ["nothing", ""],
  ["text", "hello\n".repeat(100)],
])("readBackup() refuses %s", async (_, text) => {
  await expect(readBackup(Buffer.from(text))).rejects.toMatchObject({ code: "damaged" });
});

test("restoreInto() leaves what the backup has, and nothing else", async () => {
  const store = await openEmbeddedStore(join(folder, "into"), "test");
  await store.commit([
    { key: "a", value: 1, expected: 0 },
    { key: "b", value: 2, expected: 0 },
  ]);
  await store.saveRegistrations({ stored: [{ ...stored, registration: registration("old@x") }], gone: [] });
  await restoreInto(store, { records: [{ key: "b", value: 3, version: 9 }], registrations: [stored] });
  const { records, registrations } = await store.load();
  expect(records.map(({ key, value }) => [key, value])).toEqual([["b", 3]]);
  expect(registrations).toEqual([stored]);
  await store.close();
});

test("restoreAll() leaves what the backup has of each tenant, and nothing else", async () => {
  const path = join(folder, "tenants-of-one");
  const put = async (where: string, key: string): Promise<void> => {
    const store = await openEmbeddedStore(where, "test");
    await store.commit([{ key, value: key, expected: 0 }]);
    await store.close();
  };
  await put(tenantFolder(path, "acme"), "a");
  await put(tenantFolder(path, "mill"), "m");
  const own = await openEmbeddedStore(path, "test");
  const stores = {
    own,
    listTenants: () => listTenantFolders(path),
    openTenant: (name: string) => openEmbeddedStore(tenantFolder(path, name), "test"),
  };
  const backup = await readBackup(await makeBackup(await readAll(stores)));
  await put(tenantFolder(path, "acme"), "later");
  await put(tenantFolder(path, "later"), "l");
  await restoreAll(stores, backup);
  const { tenants } = await readAll(stores);
  const keys = [...tenants].map(([name, { records }]) => [name, records.map(({ key }) => key)]);
  expect(keys).toEqual([
    ["acme", ["a"]],
    ["later", []],
    ["mill", ["m"]],
  ]);
  await own.close();
});

test("setAside() makes room for a new store and keeps the old one", async () => {
  const path = join(folder, "aside");
  await (await openEmbeddedStore(path, "test")).close();
  await writeFile(join(path, STORE_FILE), "damaged");
  await expect(openEmbeddedStore(path, "test")).rejects.toMatchObject({ code: "damaged" });
  expect(await setAside(path, 0)).toBe(join(path, "directory.db.1970-01-01T00-00-00-000Z"));
  await (await openEmbeddedStore(path, "test")).close();
});

test("a directory that runs gives a backup, and takes it back: routes as they were, Watsons as they are", async () => {
  const served = await serve();
  const url = `http://127.0.0.1:${served.port}`;
  await watsonOf(served, "vm1", [registration("barker@a:1"), registration("barker@b:2")]);
  const route = { source: "//m", target: "//barker(2)", percent: 10 };
  await served.send("POST", "/v1/routes", route);
  const bytes = new Uint8Array(await (await fetch(`${url}/v1/backup`)).arrayBuffer());
  await served.send("POST", "/v1/routes", { ...route, percent: 50 });
  await served.send("POST", "/v1/services", { service: "//later" });
  await watsonOf(served, "vm2", [registration("barker@c:1")]);

  const restore = (body: Uint8Array<ArrayBuffer>) =>
    fetch(`${url}/v1/restore`, { method: "POST", body, headers: { "content-type": "application/octet-stream" } });
  expect((await restore(bytes)).status).toBe(200);
  expect((await served.get("/v1/routes")).body["routes"]).toMatchObject([{ percent: 10 }]);
  const { body } = await served.get("/v1/services");
  expect(body["services"]).toMatchObject([{ service: "barker", instances: [{}, {}, { name: "c", state: "live" }] }]);
  const history = (await served.get("/v1/routes/history")).body["history"];
  expect(history).toMatchObject([{ action: expect.stringContaining("restore of a backup") }, { undone: false }]);
  expect((await served.send("POST", "/v1/routes", { ...route, percent: 20 })).status).toBe(200);

  const refused = await restore(new TextEncoder().encode("junk"));
  expect(refused.status).toBe(400);
  expect(await refused.json()).toMatchObject({ error: { message: expect.stringContaining("as a backup") } });
  await served.stop();
});
