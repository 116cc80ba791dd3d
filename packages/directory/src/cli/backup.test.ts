import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { writeBackup } from "../store/backup/backup.ts";
import { readableOf } from "../store/backup/backup-builder.ts";
import { openEmbeddedStore, STORE_FILE } from "../store/embedded/embedded.ts";
import { readAll, restoreAll, setAside } from "../store/backup/idle-stores.ts";
import { readBackup } from "../store/backup/read-backup.ts";
import { partsOf } from "../testing/parts-of.ts";
import { listTenantFolders, tenantFolder } from "../store/embedded/tenant-folders.ts";
import { serve, watsonOf } from "../testing/served.ts";
import { registration } from "../testing/worlds.ts";

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

const entry = (key: string) => ({ key, value: { name: key.slice("caller/".length), kind: "sherlock", seenMs: 1 } });

test("writeBackup() and readBackup() carry records and registrations over, of tenants too", async () => {
  const theirs = { records: [entry("caller/t")], registrations: [stored] };
  const kept = { records: [entry("caller/m")], registrations: [stored], tenants: new Map([["acme", theirs]]) };
  const bytes = Buffer.concat([...writeBackup(kept)]);
  for (const size of [1, 7, 100_000]) expect(await readBackup(partsOf(bytes, size))).toEqual(kept);
});

test("readableOf() leaves out what could not be restored, and says what", () => {
  const bad = { key: "table/m>barker", value: { routes: "none" } };
  const theirs = { records: [bad, entry("caller/t")], registrations: [] };
  const kept = { records: [entry("caller/m"), bad], registrations: [stored], tenants: new Map([["acme", theirs]]) };
  const { backup, omissions } = readableOf(kept);
  expect(backup.records).toEqual([entry("caller/m")]);
  expect(backup.registrations).toEqual([stored]);
  expect(backup.tenants.get("acme")?.records).toEqual([entry("caller/t")]);
  expect(omissions).toMatchObject([
    { tenant: null, key: bad.key, reason: expect.stringContaining("Cannot read record") },
    { tenant: "acme", key: bad.key },
  ]);
});

test("restoreAll() leaves what the backup has, and nothing else", async () => {
  const store = await openEmbeddedStore(join(folder, "into"), "test");
  await store.commit([
    { key: "a", value: 1, version: 0 },
    { key: "b", value: 2, version: 0 },
  ]);
  await store.replication.save({ stored: [{ ...stored, registration: registration("old@x") }], gone: [] });
  const none = { own: store, listTenants: async () => [], openTenant: async () => store };
  await restoreAll(none, { records: [{ key: "b", value: 3 }], registrations: [stored], tenants: new Map() });
  const { records, registrations } = await store.load();
  expect(records.map(({ key, value }) => [key, value])).toEqual([["b", 3]]);
  expect(registrations).toEqual([stored]);
  await store.close();
});

test("restoreAll() leaves what the backup has of each tenant, and nothing else", async () => {
  const path = join(folder, "tenants-of-one");
  const put = async (where: string, key: string): Promise<void> => {
    const store = await openEmbeddedStore(where, "test");
    await store.commit([{ ...entry(`caller/${key}`), version: 0 }]);
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
  const backup = await readBackup(partsOf(Buffer.concat([...writeBackup(await readAll(stores))])));
  await put(tenantFolder(path, "acme"), "later");
  await put(tenantFolder(path, "later"), "l");
  await restoreAll(stores, backup);
  const { tenants } = await readAll(stores);
  const keys = [...tenants].map(([name, { records }]) => [name, records.map(({ key }) => key)]);
  expect(keys).toEqual([
    ["acme", ["caller/a"]],
    ["later", []],
    ["mill", ["caller/m"]],
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
