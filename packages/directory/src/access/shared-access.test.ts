import { parseToken } from "@datawire/protocol";
import { noLog, ProblemBoard, systemClock } from "@datawire/runtime";
import { type EtcdServer, eventually, startEtcd } from "@datawire/runtime/testing";
import { afterAll, beforeAll, expect, onTestFinished, test } from "vitest";
import { listTenants, openStore } from "../store/open/open-store.ts";
import { restoreAll } from "../store/backup/idle-stores.ts";
import { partsOf } from "../testing/parts-of.ts";
import { readBackup } from "../store/backup/read-backup.ts";
import type { Store } from "../store/contract.ts";
import { patientClock } from "../store/etcd/testing/followed.ts";
import { splitStore } from "../store/split-store.ts";
import { type Guarded, type GuardedStores, serveGuarded } from "../testing/guarded.ts";
import { openTenantTables } from "../testing/tenant-tables.ts";
import { storeSetting } from "../store/store-settings.ts";
import { FIRST_ROLES, TokenService } from "./token-service.ts";

// A real etcd, on a machine that may be busy.

let etcd: EtcdServer;
beforeAll(async () => {
  etcd = await startEtcd();
});
afterAll(() => etcd.dispose());

let prefixes = 0;

/** The stores of the directories that share one prefix, as the settings choose them. */
function newStores(): GuardedStores {
  const store = storeSetting.parse({ etcd: { endpoints: [etcd.url], prefix: `access/${++prefixes}` } });
  const deps = { clock: patientClock, log: noLog };
  return {
    open: (tenant) =>
      openStore(
        { store, folder: "/nowhere", address: "//localhost/directory", leaseMs: 9_000, tenant },
        deps,
        new AbortController().signal,
      ),
    listTenants: () => listTenants({ store, folder: "/nowhere" }, deps),
  };
}

/** Two guarded directories on one store, which start at the same moment. */
async function startTwo(): Promise<[Guarded, Guarded]> {
  const stores = newStores();
  const both = await Promise.all([serveGuarded(stores), serveGuarded(stores)]);
  onTestFinished(async () => void (await Promise.all(both.map((one) => one.stop()))));
  return both;
}

test("directories that start at once on one store have one authority, and one set of first tokens", async () => {
  const [a, b] = await startTwo();
  expect(b.ca).toBe(a.ca);
  await eventually(() => {
    expect(a.tokens.tokens.list(null).map(({ role }) => role)).toEqual(FIRST_ROLES.toReversed());
    expect(b.tokens.tokens.list(null)).toEqual(a.tokens.tokens.list(null));
  });
});

test("of several that init one store at once, one makes the first tokens", async () => {
  const stores = newStores();
  const whole = await Promise.all([0, 1, 2].map(() => stores.open(null)));
  const made = await Promise.all(
    whole.map(async (store: Store) => {
      const service = new TokenService({
        store: splitStore(store).access,
        clock: systemClock,
        log: noLog,
        board: new ProblemBoard(),
        pins: true,
        changed() {},
      });
      await service.load();
      return service.createFirst("test");
    }),
  );
  expect(made.flatMap((one) => one?.length ?? [])).toEqual([FIRST_ROLES.length]);
  const named = made.flatMap((one) => one ?? []).map(({ token }) => parseToken(token).fingerprint);
  expect(new Set(named)).toEqual(new Set([named[0]]));
  await Promise.all(whole.map((store) => store.close()));
});

test("a token made at one directory holds at the other, and ends there with its links when it is revoked", async () => {
  const [a, b] = await startTwo();
  const { id, token } = await a.create("sherlock");
  await eventually(async () => expect((await b.ask("/v1/routes", { token })).status).toBe(200));
  const link = await b.link(token, {
    type: "hello",
    link: { min: 1, max: 1 },
    kind: "sherlock",
    name: "monolith",
    id: "identity",
    version: "1",
    subscribe: { services: null, have: null },
  });
  await link.next("snapshot");
  await a.tokens.revoke(id, { tenant: null });
  const ended = link.next("error");
  await eventually(async () => expect((await b.ask("/v1/routes", { token })).status).toBe(401));
  expect(await ended).toMatchObject({ code: "unauthenticated", fatal: true });
  await link.close();
});

test("tenants have their tables at both directories, each its own, and a backup has them all", async () => {
  const [a, b] = await startTwo();
  const tables = await openTenantTables(a, ["acme", "mill"]);
  await tables.add(null, "own");
  await tables.add("acme", "anvil");
  await tables.add("mill", "flour");
  for (const [tenant, service] of [
    [null, "own"],
    ["acme", "anvil"],
    ["mill", "flour"],
  ] as const)
    await eventually(async () => expect(await tables.services(b, tenant)).toEqual([service]));
  const backup = await tables.backup(b, null);
  await tables.add("acme", "later");
  await tables.restore(b, backup);
  await eventually(async () => expect(await tables.services(a, "acme")).toEqual(["anvil"]));
  expect(await tables.services(a, "mill")).toEqual(["flour"]);
});

test("a backup that is restored into an etcd before its directories start keeps tokens, authority and tenants", async () => {
  const old = await serveGuarded();
  onTestFinished(() => old.stop());
  const tables = await openTenantTables(old, ["acme"]);
  await tables.add("acme", "anvil");
  for (let i = 0; i < 50; i++) await tables.add(null, `service-${i}`);
  const backup = await readBackup(partsOf(await tables.backup(old, null)));
  const stores = newStores();
  const own = await stores.open(null);
  await restoreAll({ own, openTenant: (name) => stores.open(name), listTenants: () => stores.listTenants() }, backup);
  await own.close();
  const moved = await serveGuarded(stores);
  onTestFinished(() => moved.stop());
  expect(moved.ca).toBe(old.ca);
  expect(await tables.services(moved, null)).toHaveLength(50);
  expect(await tables.services(moved, "acme")).toEqual(["anvil"]);
});
