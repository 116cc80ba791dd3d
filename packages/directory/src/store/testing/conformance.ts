import { expect, test } from "vitest";
import type { StoredRegistration } from "../../model/records.ts";
import { registration } from "../../testing/worlds.ts";
import type { RegistrationChanges } from "../../registry/dirty-set.ts";
import type { Store } from "../contract.ts";

/** One place where a store lives, which may be opened again after it was closed. */
export interface StorePlace {
  open(): Promise<Store>;
}

/** What every store must do; `create` makes a place that is empty. */
export function describeStore(name: string, create: () => Promise<StorePlace>): void {
  const write = (key: string, value: unknown, version = 0) => ({ key, value, version });
  const content = async (store: Store) =>
    Object.fromEntries((await store.load()).records.map(({ key, value }) => [key, value]));

  test(`${name}: load() of an empty store gives nothing`, async () => {
    const store = await (await create()).open();
    expect(await store.load()).toEqual({ records: [], registrations: [], unreadable: [] });
    await store.close();
  });

  test(`${name}: commit() writes all records, and they are there after it was opened again`, async () => {
    const place = await create();
    const store = await place.open();
    const version = await store.commit([write("table/a", { x: 1 }), write("service/ü", ["y"])]);
    const again = await store.commit([write("table/a", { x: 2 }, version)]);
    expect(again).toBeGreaterThan(version);
    await store.close();
    const reopened = await place.open();
    expect(await content(reopened)).toEqual({ "table/a": { x: 2 }, "service/ü": ["y"] });
    const versions = Object.fromEntries((await reopened.load()).records.map((one) => [one.key, one.version]));
    expect(versions).toEqual({ "table/a": again, "service/ü": version });
    await reopened.close();
  });

  test.each([
    ["a record that is newer", write("a", 2, 0)],
    ["a record that is not there", write("b", 2, 7)],
    ["removing one that is newer", write("a", null, 0)],
  ])(`${name}: commit() on the wrong version writes none of its records: %s`, async (_, wrong) => {
    const store = await (await create()).open();
    await store.commit([write("a", 1)]);
    await expect(store.commit([write("c", 1), wrong])).rejects.toMatchObject({ code: "conflict" });
    expect(await content(store)).toEqual({ a: 1 });
    await store.close();
  });

  test(`${name}: commit() of null removes a record, which then has no version`, async () => {
    const store = await (await create()).open();
    const version = await store.commit([write("a", 1)]);
    await store.commit([write("a", null, version)]);
    expect(await content(store)).toEqual({});
    expect(await store.commit([write("a", 2)])).toBeGreaterThan(version);
    await store.close();
  });

  test(`${name}: saving registrations keeps the last word on each instance`, async () => {
    const place = await create();
    const store = await place.open();
    const stored = (text: string, order: number): StoredRegistration => ({
      watson: { id: "id-of-vm1", name: "vm1", version: "0.1.0" },
      registration: registration(text),
      order,
      sinceMs: 5,
    });
    await save(store, { stored: [stored("x@a:1", 0), stored("x@b:1", 1)], gone: [] });
    await save(store, { stored: [stored("x@b:2", 1)], gone: ["x@a", "x@never"] });
    await store.close();
    const reopened = await place.open();
    expect((await reopened.load()).registrations).toEqual([stored("x@b:2", 1)]);
    await reopened.close();
  });

  test(`${name}: saving many registrations lets other work in between`, async () => {
    const store = await (await create()).open();
    const many = Array.from({ length: 5_000 }, (_, i) => ({
      watson: { id: "id-of-vm1", name: "vm1", version: "0.1.0" },
      registration: registration(`x@i${i}`),
      order: i,
      sinceMs: 5,
    }));
    const saving = save(store, { stored: many, gone: [] });
    await store.commit([write("a", 1)]);
    await saving;
    expect((await store.load()).registrations).toHaveLength(5_000);
    expect(await content(store)).toEqual({ a: 1 });
    await store.close();
  });

  test(`${name}: commit() by many at once lets one of them win, each time`, async () => {
    const store = await (await create()).open();
    await store.load();
    let version = await store.commit([write("n", 0)]);
    let n = 0;
    const writer = async (): Promise<void> => {
      for (let won = 0; won < 10;) {
        const next = n + 1;
        try {
          version = await store.commit([write("n", next, version)]);
          n = next;
          won += 1;
        } catch (error) {
          expect(error).toMatchObject({ code: "conflict" });
          await new Promise(setImmediate);
        }
      }
    };
    await Promise.all([writer(), writer(), writer()]);
    expect(await content(store)).toEqual({ n: 30 });
    await store.close();
  });
}

/** Saves what one Watson says, in the way that the store has for it. */
async function save(store: Store, { stored, gone }: RegistrationChanges): Promise<void> {
  const { replication } = store;
  if (replication.kind === "snapshot") return replication.save({ stored, gone });
  const watson = stored[0]?.watson.id ?? "";
  expect(await replication.save([{ watson, stored, gone, away: null }])).toEqual([]);
}
