import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { expect, onTestFinished, test } from "vitest";
import { partsOf } from "../testing/parts-of.ts";
import { openEmbeddedStore } from "../store/embedded/embedded.ts";
import { readBackup } from "../store/backup/read-backup.ts";
import { listTenantFolders, tenantFolder } from "../store/embedded/tenant-folders.ts";
import type { GuardedStores } from "../testing/guarded.ts";
import { serveGuardedInMemory } from "../testing/memory/guarded-in-memory.ts";
import { openTenantTables } from "../testing/tenant-tables.ts";

test("a backup of a directory that runs has the tables of its tenants, and that of a tenant its own alone", async () => {
  const guarded = await serveGuardedInMemory();
  onTestFinished(() => guarded.stop());
  const tables = await openTenantTables(guarded, ["acme", "mill"]);
  await tables.add(null, "own");
  await tables.add("acme", "anvil");
  await tables.add("mill", "flour");
  const backup = await tables.backup(guarded, null);
  expect([...(await readBackup(partsOf(await tables.backup(guarded, "acme")))).tenants]).toEqual([]);
  await tables.add("acme", "later");
  await tables.add("mill", "later");
  await tables.restore(guarded, backup);
  expect(await tables.services(guarded, null)).toEqual(["own"]);
  expect(await tables.services(guarded, "acme")).toEqual(["anvil"]);
  expect(await tables.services(guarded, "mill")).toEqual(["flour"]);
});

/** Stores in files. */
const storesIn = (folder: string): GuardedStores => ({
  open: (tenant) => openEmbeddedStore(tenant === null ? folder : tenantFolder(folder, tenant), "//localhost/directory"),
  listTenants: () => listTenantFolders(folder),
});

const DAMAGE: Readonly<Record<string, (file: string) => Promise<void>>> = {
  "is no SQLite file": (file) => writeFile(file, "garbage"),
  "is a folder": (file) => mkdir(file),
  async "has a wrong checksum"(file) {
    const store = await openEmbeddedStore(dirname(file), "//localhost/directory");
    await store.commit([{ key: "services///a", value: {}, version: 0 }]);
    await store.close();
    const database = new DatabaseSync(file);
    database.exec("UPDATE records SET sum = 'none'");
    database.close();
  },
};

test.each(Object.keys(DAMAGE))("a tenant whose store %s is unavailable, and the others are told of it", async (how) => {
  const data = await mkdtemp(join(tmpdir(), "datawire-tenants-"));
  onTestFinished(() => rm(data, { recursive: true, force: true }));
  const guarded = await serveGuardedInMemory(storesIn(data));
  onTestFinished(() => guarded.stop());
  const tokenOf = async (tenant: string | null) => (await guarded.create("admin", { tenant })).token;
  const [all, acme, mill] = [await tokenOf(null), await tokenOf("acme"), await tokenOf("mill")];
  const folder = tenantFolder(data, "acme");
  await mkdir(folder, { recursive: true, mode: 0o700 });
  await DAMAGE[how]?.(join(folder, "directory.db"));

  for (let i = 0; i < 2; i++) {
    const { status, body } = await guarded.ask("/v1/services", { token: acme });
    expect([status, String(body)]).toEqual([503, expect.stringContaining("Cannot serve the tenant acme")]);
    expect(String(body)).not.toContain(folder);
  }
  expect((await guarded.ask("/v1/services", { token: mill })).status).toBe(200);
  const { problems } = JSON.parse(String((await guarded.ask("/v1/status", { token: all })).body)) as {
    problems: { subject: string }[];
  };
  expect(problems.map(({ subject }) => subject)).toContain("tenant acme");

  await rm(folder, { recursive: true });
  expect((await guarded.ask("/v1/services", { token: acme })).status).toBe(200);
});
