import { routeAddBody, routeRemoveBody, routeSetBody } from "@datawire/api";
import { tableKey } from "@datawire/protocol";
import { noLog, ProblemBoard } from "@datawire/runtime";
import { createFakeClock } from "@datawire/runtime/testing";
import { expect, test } from "vitest";
import { planDrain, planResume } from "./instances.ts";
import { expired, planExpiry, planRouteAdd, planRouteRemove, planRouteSet } from "./routes.ts";
import { planPromote, planServiceAdd, planServiceRemove, planServiceSet } from "./services.ts";
import { planUndo } from "./undo.ts";
import type { Plan } from "../model/change-set.ts";
import { HISTORY_MAX } from "../model/history.ts";
import { DIRECTORY } from "./author.ts";
import { ChangeExecutor } from "./change-executor.ts";
import { createState, shown, state, unobserved } from "../testing/worlds.ts";
import { MemoryStore } from "../testing/memory/memory-store.ts";
import { momentOf } from "../model/moment.ts";

const ANN = { who: "ann@vm1", verified: false };

/** A directory without its network: barker has version 1, which is primary, and a held version 2. */
async function open(store = new MemoryStore(), clock = createFakeClock()) {
  const world = createState();
  const executor = new ChangeExecutor({
    board: new ProblemBoard(),
    state: world,
    store,
    clock,
    log: noLog,
    observer: unobserved,
  });
  executor.begin(await store.load());
  state(world, "vm1", ["barker@a:1", "barker@b:2"]);
  const change = <P extends Plan>(plan: () => P) => executor.change(plan, { author: ANN, undoable: true });
  const now = () => momentOf(clock);
  const route = (percent: string, fields: object = {}) =>
    change(() => {
      const command = { source: "//monolith", target: "//barker(2)", percent, ...fields };
      return planRouteAdd(world, routeAddBody.parse(command), now());
    });
  const shares = () =>
    (world.table.routeTable(tableKey({ caller: "monolith", service: "barker" }))?.routes ?? [])
      .map(({ target, share }) => `${target} ${share / 100}%`)
      .join(", ");
  const history = () => world.history.list().map(({ action, undone }) => `${undone ? "undone: " : ""}${action}`);
  return { world, executor, store, clock, change, route, shares, history, now };
}

test("change() stores a change before anyone sees it, and a directory that starts again has it", async () => {
  const first = await open();
  await first.route("10%");
  const second = await open(first.store);
  expect(second.shares()).toBe("//barker(2) 10%");
  expect(second.history()).toEqual(["route add //monolith //barker(2) 10%: no routes → //barker(2) 10%"]);
});

test("change() changes nothing when the store cannot write", async () => {
  const { store, route, shares, history } = await open();
  store.failing = true;
  await expect(route("10%")).rejects.toThrow(/the disk is full/);
  expect(shares()).toBe("");
  expect(history()).toEqual([]);
  store.failing = false;
  await route("20%");
  expect(shares()).toBe("//barker(2) 20%");
});

test("change() plans on what the change before it left", async () => {
  const { route, shares } = await open();
  const results = await Promise.allSettled([route("60%"), route("50%"), route("101%")]);
  expect(results.map(({ status }) => status)).toEqual(["fulfilled", "fulfilled", "rejected"]);
  expect(shares()).toBe("//barker(2) 50%");
});

test("the history says which options were dropped, and a condition that no request meets is refused", async () => {
  const { route, history } = await open();
  await route("10%", { when: "cookie:a=b", sticky: "ip" });
  await route("10%", { when: null });
  expect(history()[0]).toMatch(/^route add \/\/monolith \/\/barker\(2\) 10% --no-when: /);
  await expect(route("10%", { when: "cookie:a=b;c" })).rejects.toThrow(/no request meets it/);
});

test("the history says on which conditions a command was given", async () => {
  const { world, change, route, now, history } = await open();
  await route("10%", { reading: "caller", ahead: true });
  expect(history()[0]).toMatch(/^route add \/\/monolith \/\/barker\(2\) 10% --caller --ahead: /);
  const targets = [{ target: "//barker(2)", percent: 20 }];
  const set = { source: "//monolith", targets, reading: "caller", ahead: true };
  await change(() => planRouteSet(world, routeSetBody.parse(set), now()));
  expect(history()[0]).toMatch(/^route set \/\/monolith \/\/barker\(2\)=20% --caller --ahead: /);
  const remove = { source: "//monolith", target: "//barker(2)", reading: "caller" };
  await change(() => planRouteRemove(world, routeRemoveBody.parse(remove), now()));
  expect(history()[0]).toMatch(/^route remove \/\/monolith \/\/barker\(2\) --caller: /);
});

test("change() that changes nothing leaves no trace", async () => {
  const { route, history } = await open();
  await route("10%");
  expect((await route("10%")).changed).toBe(false);
  expect(history()).toHaveLength(1);
});

test("undo takes back one change after the other, and is no change to be undone itself", async () => {
  const { world, change, route, shares, history, now } = await open();
  await route("10%");
  await route("20%", { sticky: "cookie:user" });
  await change(() => planUndo(world, now()));
  expect(shares()).toBe("//barker(2) 10%");
  await change(() => planUndo(world, now()));
  expect(shares()).toBe("");
  await expect(change(() => planUndo(world, now()))).rejects.toThrow(/no change that is not undone/);
  expect(history().filter((line) => line.startsWith("undone: "))).toHaveLength(2);
});

test("undo skips what was undone when a newer change was made since", async () => {
  const { world, change, route, shares, now } = await open();
  await route("10%");
  await route("20%");
  await change(() => planUndo(world, now()));
  await route("30%");
  await change(() => planUndo(world, now()));
  expect(shares()).toBe("//barker(2) 10%");
  await change(() => planUndo(world, now()));
  expect(shares()).toBe("");
});

test("promote removes the routes that name the generation, and undo restores both", async () => {
  const { world, change, route, shares, now } = await open();
  await route("10%");
  const primary = () => world.table.service("barker")?.service.primary;
  const { plan } = await change(() => planPromote(world, "barker", "2"));
  expect(plan.notes).toEqual(["routes that named it are gone, for monolith"]);
  expect([primary(), shares()]).toEqual(["2", ""]);
  await change(() => planUndo(world, now()));
  expect([primary(), shares()]).toEqual(["1", "//barker(2) 10%"]);
});

test("promote refuses a generation that is not registered, and names those that are", async () => {
  const { world, change } = await open();
  await expect(change(() => planPromote(world, "barker", "3"))).rejects.toThrow(/there are: version 1, version 2/);
  await expect(change(() => planPromote(world, "barker", null))).rejects.toThrow(
    "Cannot promote //barker without a version: no instance without one is registered; there are: version 1, version 2",
  );
  await expect(change(() => planPromote(world, "nobody", "3"))).rejects.toThrow(
    "Cannot promote //nobody: there is no such service; there are: barker",
  );
  await expect(change(() => planPromote(world, "baker", "3"))).rejects.toThrow("did you mean //barker?");
});

test("a primary is a generation, whichever command names it", async () => {
  const { world, change } = await open();
  const message = 'Cannot use "1.4" as a primary: a primary is the first part of versions, wanted 1';
  await expect(change(() => planPromote(world, "barker", "1.4"))).rejects.toThrow(message);
  const add = { service: "shop", primary: "1.4", settings: {} };
  await expect(change(() => planServiceAdd(world, add))).rejects.toThrow(message);
});

test("a route with --for ends by itself, brings back what was before it, and undo goes on from there", async () => {
  const { world, executor, clock, change, route, shares, now } = await open();
  await route("10%");
  await route("50%", { for: "1h" });
  const expire = async () => {
    for (const key of expired(world, now()))
      await executor.change((at) => planExpiry(world, key, at), { author: DIRECTORY, undoable: false });
  };
  await clock.advance(3_599_000);
  await expire();
  expect(shares()).toBe("//barker(2) 50%");
  await clock.advance(1_000);
  await expire();
  expect(shares()).toBe("//barker(2) 10%");
  expect(world.expiring()).toEqual([]);
  const { plan } = await change(() => planUndo(world, now())); // of the 50%, which is over
  expect(plan.notes).toEqual([
    "nothing had to be taken back: the time of //barker(2) was over, and what was before it had come back by itself",
  ]);
  expect(shares()).toBe("//barker(2) 10%");
  await change(() => planUndo(world, now()));
  expect(shares()).toBe("");
});

test("undo says that what comes back ends again at once", async () => {
  const { world, clock, change, route, now } = await open();
  await route("10%", { for: "1h" });
  await route("30%", { for: null });
  await clock.advance(3_600_000);
  const { plan } = await change(() => planUndo(world, now()));
  expect(plan.notes).toEqual(["the time of //barker(2) is over, so that it ends again at once"]);
});

test("undo of what was changed back by another says that nothing is left of it", async () => {
  const { world, executor, change, route, now } = await open();
  await route("10%");
  const back = { source: "//monolith", target: "//barker(2)" };
  await executor.change((at) => planRouteRemove(world, routeRemoveBody.parse(back), at), {
    author: DIRECTORY,
    undoable: false,
  });
  const { plan } = await change(() => planUndo(world, now()));
  expect(plan.notes).toEqual(["nothing had to be taken back: everything is as it was before that change already"]);
});

test("a drain is kept over a restart of the directory, until it is resumed", async () => {
  const first = await open();
  const address = { service: "barker", instance: "a" };
  await first.change(() => planDrain(first.world, { ...address, who: "ann" }, first.now()));
  expect(shown(first.world, "barker")).toBe("a draining, b live");
  const second = await open(first.store);
  expect(shown(second.world, "barker")).toBe("a draining, b live");
  const again = await second.change(() => planDrain(second.world, { ...address, who: "bob" }, second.now()));
  expect(again).toMatchObject({ changed: false, plan: { notes: ["//barker@a is drained already, by ann"] } });
  await second.change(() => planResume(second.world, address));
  expect(shown(second.world, "barker")).toBe("a live, b live");
});

test("drain and resume name the instances there are when they refuse", async () => {
  const { world, change, now } = await open();
  const drain = () => planDrain(world, { service: "barker", instance: "x", who: "ann" }, now());
  await expect(change(drain)).rejects.toThrow("barker has no instance x; there are: a, b");
  const resume = () => planResume(world, { service: "nobody", instance: "x" });
  await expect(change(resume)).rejects.toThrow("Cannot resume //nobody: there is no such service; there are: barker");
});

test("a service that is added stays without instances, until it is removed", async () => {
  const { world, change } = await open();
  const command = { service: "other", primary: "2", settings: { defaultUrl: "http://other.example.com" } };
  await change(() => planServiceAdd(world, command));
  expect(world.table.service("other")?.service).toMatchObject({ declared: true, primary: "2", protocol: "http" });
  await expect(change(() => planServiceAdd(world, command))).rejects.toThrow(/it is there already/);
  await change(() => planServiceRemove(world, "other"));
  expect(world.table.service("other")).toBeNull();
});

test("a service is not removed while an instance is registered or a route names it", async () => {
  const { world, change, route } = await open();
  await expect(change(() => planServiceRemove(world, "barker"))).rejects.toThrow(/2 of its instances/);
  await route("10%");
  state(world, "vm1", []);
  await expect(change(() => planServiceRemove(world, "barker"))).rejects.toThrow(/routes of monolith to barker/);
  await expect(change(() => planServiceRemove(world, "nobody"))).rejects.toThrow(/no such service/);
});

test("settings are changed one by one, and checked", async () => {
  const { world, change } = await open();
  await change(() => planServiceSet(world, "barker", { retries: 3 }));
  await change(() => planServiceSet(world, "barker", { balance: "random" }));
  expect(world.table.service("barker")?.service.settings).toMatchObject({ retries: 3, balance: "random" });
  await expect(change(() => planServiceSet(world, "barker", { balance: "fair" }))).rejects.toThrow(/as balance/);
  await expect(change(() => planServiceSet(world, "barker", { defaultUrl: "tcp://h:1" }))).rejects.toThrow(
    /as the URL/,
  );
});

test("a service of TCP has no cookies to keep sessions by", async () => {
  const { world, change } = await open();
  await change(() => planServiceAdd(world, { service: "db", protocol: "tcp", settings: {} }));
  await expect(change(() => planServiceSet(world, "db", { balance: "cookie:SID" }))).rejects.toThrow(
    'Cannot use "cookie:SID" as balance: the service is of tcp',
  );
  await change(() => planServiceSet(world, "barker", { balance: "cookie:SID" }));
});

test("undo of a setting keeps a primary that was decided since", async () => {
  const { world, executor, change, now } = await open();
  await change(() => planServiceSet(world, "barker", { retries: 3 }));
  const record = world.services.record("barker")!;
  await executor.remember([{ kind: "service", id: "barker", value: { ...record, primary: "1" } }]);
  await change(() => planUndo(world, now()));
  expect(world.services.record("barker")).toMatchObject({ primary: "1", settings: { retries: null } });
});

test("the history is bounded, and an order of routes is never given twice", async () => {
  const { world, route, change } = await open();
  for (let i = 0; i < HISTORY_MAX + 5; i++) await route(`${i % 100}%`);
  expect(world.history.list(10_000)).toHaveLength(HISTORY_MAX);
  const order = () => world.table.routeTable("monolith>barker")?.routes[0]?.order;
  const first = order();
  const key = "monolith>barker";
  const tables = [{ key, before: world.table.routeTable(key), after: null }];
  await change(() => ({ action: "remove", change: { tables, services: [], drains: [] }, notes: [] }));
  await route("1%");
  expect(order()).toBeGreaterThan(first ?? 0);
});

test("makeSessionKey() makes one in the life of a store, which outlives restarts and backups that have none", async () => {
  const { world, executor, store } = await open();
  await executor.makeSessionKey();
  const key = world.sessionKey;
  expect(key).toMatch(/^[A-Za-z0-9_-]{43}$/);
  const again = await open(store);
  await again.executor.makeSessionKey();
  expect(again.world.sessionKey).toBe(key);
  await again.executor.restore([], ANN);
  expect((await open(store)).world.sessionKey).toBe(key);
  const other = { key: "A".repeat(43) };
  await again.executor.restore([{ key: "key/sessions", value: other }], ANN);
  expect((await open(store)).world.sessionKey).toBe(other.key);
});

test("makeSessionKey() leaves a directory without one where nothing can be written", async () => {
  const { world, executor, store } = await open();
  store.failing = true;
  await executor.makeSessionKey();
  expect(world.sessionKey).toBeNull();
  store.failing = false;
  await executor.makeSessionKey();
  expect(world.sessionKey).not.toBeNull();
});
