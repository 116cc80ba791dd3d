import { expect, onTestFinished, test } from "vitest";
import { partsOf } from "../testing/parts-of.ts";
import { readBackup } from "../store/read-backup.ts";
import { serveGuarded } from "../testing/guarded.ts";
import { openTenantTables } from "../testing/tenant-tables.ts";

test("a backup of a directory that runs has the tables of its tenants, and that of a tenant its own alone", async () => {
  const guarded = await serveGuarded();
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
