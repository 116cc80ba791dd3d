import { afterEach, expect, test } from "vitest";
import { MemoryStore } from "../testing/memory/memory-store.ts";
import { type Served, serve, watsonOf } from "../testing/served.ts";
import { registration } from "../testing/worlds.ts";

const running: Served[] = [];
const start = async (store: MemoryStore): Promise<Served> => {
  const served = await serve({ store });
  running.push(served);
  return served;
};
afterEach(() => Promise.all(running.splice(0).map((served) => served.stop())));

const ROUTE = { source: "//m", target: "//barker(2)", percent: 10 };
const OTHER = { source: "//n", target: "//barker(2)", percent: 20 };

/** A store with two route tables, of which the first is then made something else. */
async function spoiltStore(spoil: (value: Record<string, unknown>) => unknown): Promise<MemoryStore> {
  const store = new MemoryStore();
  const served = await start(store);
  await watsonOf(served, "vm1", [registration("barker@a:1"), registration("barker@b:2")]);
  for (const route of [ROUTE, OTHER]) expect((await served.send("POST", "/v1/routes", route)).status).toBe(200);
  await running.pop()?.stop();
  const record = store.records.get("table/m>barker");
  if (record === undefined) throw new Error("the route was not stored");
  store.records.set(record.key, { ...record, value: spoil(structuredClone(record.value) as Record<string, unknown>) });
  return store;
}

const routeOf = (value: Record<string, unknown>): Record<string, unknown> =>
  (value["routes"] as Record<string, unknown>[])[0] as Record<string, unknown>;

test.each<[string, (value: Record<string, unknown>) => unknown]>([
  ["a target that is no address", (value) => ({ ...value, routes: [{ ...routeOf(value), target: "garbage" }] })],
  ["a condition that is none", (value) => ({ ...value, routes: [{ ...routeOf(value), when: "nonsense" }] })],
  ["slots that are none", (value) => ({ ...value, routes: [{ ...routeOf(value), slots: [[9, 1]] }] })],
  ["another caller", (value) => ({ ...value, caller: "x" })],
  ["no table at all", () => "{"],
])("a directory that starts with %s serves the rest, says so, and takes that anew", async (_, spoil) => {
  const store = await spoiltStore(spoil);
  const served = await start(store);
  await watsonOf(served, "vm1", [registration("barker@a:1"), registration("barker@b:2")]);
  const routes = async () => (await served.get("/v1/routes")).body["routes"];
  const problems = async () => (await served.get("/v1/status")).body["problems"] as Record<string, unknown>[];
  expect(await routes()).toMatchObject([{ caller: "n", percent: 20 }]);
  expect((await problems()).filter(({ subject }) => subject === "table/m>barker")).toEqual([
    {
      severity: "error",
      subject: "table/m>barker",
      message: expect.stringMatching(/^left out: Cannot read record "table\/m>barker": /),
      remedy: expect.stringContaining("directory restore FILE"),
    },
  ]);
  expect((await served.send("POST", "/v1/routes", { ...ROUTE, percent: 30 })).status).toBe(200);
  expect(await routes()).toMatchObject([
    { caller: "m", percent: 30 },
    { caller: "n", percent: 20 },
  ]);
  expect((await problems()).filter(({ subject }) => subject === "table/m>barker")).toEqual([]);
});

test("a change in the history that cannot be read keeps its number, and is no reason to refuse the next change", async () => {
  const store = await spoiltStore((value) => value);
  const keys = [...store.records.keys()].filter((key) => key.startsWith("history/"));
  for (const key of keys) store.records.set(key, { key, value: { damaged: true }, version: 1 });
  store.records.set("later/x", { key: "later/x", value: 1, version: 1 });
  const served = await start(store);
  await watsonOf(served, "vm1", [registration("barker@a:1"), registration("barker@b:2")]);
  expect((await served.send("POST", "/v1/routes", { ...ROUTE, percent: 30 })).status).toBe(200);
  const history = (await served.get("/v1/routes/history")).body["history"] as { id: number }[];
  expect(history.map(({ id }) => `history/${id}`)).toEqual([`history/${keys.length + 1}`]);
  expect(store.records.get("later/x")?.value).toBe(1);
});

test("what another directory has written and cannot be read leaves what was there in force", async () => {
  const store = await spoiltStore((value) => value);
  const served = await start(store);
  const record = store.records.get("table/m>barker");
  const version = 1_000;
  const bad = { key: "table/m>barker", value: { ...(record?.value as object), routes: 7 }, version };
  store.records.set(bad.key, bad);
  store.tell([bad, { key: "constructor/x", value: {}, version }]);
  await watsonOf(served, "vm1", [registration("barker@a:1"), registration("barker@b:2")]);
  expect((await served.get("/v1/routes")).body["routes"]).toMatchObject([{ percent: 10 }, { percent: 20 }]);
  const text = JSON.stringify((await served.get("/v1/status")).body["problems"]);
  expect(text).toContain("table/m>barker");
  expect(text).toContain("constructor/x");
  expect((await served.send("POST", "/v1/routes", { ...ROUTE, percent: 30 })).status).toBe(200);
});
