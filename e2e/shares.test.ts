import { afterEach, beforeEach, expect, test } from "vitest";
import { sendRequests, startLoad } from "./harness/load.ts";
import { scaled } from "./harness/scale.ts";
import { CHECKED_SELDOM, Stack } from "./harness/stack.ts";
import { eventually } from "./harness/wait.ts";

let stack: Stack;
beforeEach(async () => {
  stack = new Stack();
  await stack.startDirectory();
  await stack.startSherlock();
});
afterEach(() => stack.dispose());

/** Many instances of one version. One process answers for all of them, at as many addresses of loopback. */
async function startMany(version: string, count: number, prefix: string): Promise<void> {
  const { port } = await stack.startInstance({
    service: "unused",
    name: `${prefix}-process`,
    version,
    addresses: count,
  });
  const list = Array.from({ length: count }, (_, i) => ({
    service: "//emitter",
    version,
    url: `http://127.0.0.${i + 1}:${port}`,
    instance: `${prefix}${i}`,
  }));
  stack.writeServiceFile(prefix, list);
}

/** Waits until the directory lists this many instances of the service, all live. */
async function instances(count: number): Promise<void> {
  await eventually(async () => {
    const { services } = await stack.read<{ services: { service: string; instances: { state: string }[] }[] }>(
      "/v1/services",
    );
    const listed = services.find(({ service }) => service === "emitter")?.instances ?? [];
    expect(listed.filter(({ state }) => state === "live")).toHaveLength(count);
  });
}

test.each([
  ["1 against 50", 1, 50],
  ["50 against 1", 50, 1],
])("a share is exact with %s instances", async (_, canaries, primaries) => {
  await Promise.all([
    stack.startWatson(CHECKED_SELDOM),
    startMany("1", primaries, "old"),
    startMany("2", canaries, "new"),
  ]);
  await instances(canaries + primaries);
  // Of so many that what is allowed below is less than the smaller side has.
  for (const [percent, count] of [
    [0.1, 6_000],
    [1, 1_000],
    [10, 2_000],
    [33.33, 2_000],
    [99.9, 6_000],
  ] as const) {
    await stack.addRoute("//monolith", "//emitter(2)", `${percent}%`);
    await stack.followed();
    const p = percent / 100;
    const { byVersion, failures, requests } = await sendRequests(scaled(20_000, count), {
      url: await stack.url("/emitter/"),
      connections: 8,
    });
    expect(failures).toEqual([]);
    // By turns, however many requests that are.
    expect(Math.abs((byVersion.get("2") ?? 0) - p * requests)).toBeLessThanOrEqual(5);
  }
});

test("a sticky share that grows moves nobody away from the target", async () => {
  await Promise.all([
    stack.startWatson(),
    stack.startInstance({ service: "emitter", name: "old", version: "1" }),
    stack.startInstance({ service: "emitter", name: "new", version: "2" }),
  ]);
  await instances(2);
  const users = scaled(10_000, 1_500);
  let before = new Set<number>();
  for (const percent of [1, 10, 50, 80]) {
    await stack.addRoute("//monolith", "//emitter(2)", `${percent}%`, { sticky: "header:X-User" });
    await stack.followed();
    const now = await usersOf("new", users);
    expect([...before].filter((user) => !now.has(user))).toEqual([]);
    const p = percent / 100;
    expect(Math.abs(now.size / users - p)).toBeLessThanOrEqual(5 * Math.sqrt((p * (1 - p)) / users));
    before = now;
  }
  expect(await usersOf("new", users)).toEqual(before);
});

/** Which of the users, named by their numbers, are answered by an instance. */
async function usersOf(name: string, users: number): Promise<Set<number>> {
  const url = await stack.url("/emitter/");
  const hit = new Set<number>();
  let next = 0;
  const worker = async (): Promise<void> => {
    while (next < users) {
      const user = next++;
      const response = await fetch(url, { headers: { "x-user": `user-${user}` } });
      const { instance } = (await response.json()) as { instance: string };
      if (instance === name) hit.add(user);
    }
  };
  await Promise.all(Array.from({ length: 8 }, worker));
  return hit;
}

test("no request fails while any instance is live, whichever side loses its instances", async () => {
  await stack.startWatson();
  const old = await stack.startInstance({ service: "emitter", name: "old", version: "1" });
  const canary = await stack.startInstance({ service: "emitter", name: "canary", version: "2" });
  await instances(2);
  await stack.addRoute("//monolith", "//emitter(2)", "40%");
  await stack.reaches("emitter", ["old", "canary"]);
  const load = startLoad({ url: await stack.url("/emitter/"), connections: 8, pauseMs: scaled(4, 12) });
  for (const [one, other] of [
    [canary, "old"],
    [old, "canary"],
  ] as const) {
    // Each change has come to Sherlock before the next: two at once may leave nobody.
    await one.sick(true);
    await stack.lists("emitter", { [one.name]: "down", [other]: "live" });
    await stack.reaches("emitter", [other]);
    await one.sick(false);
    await stack.lists("emitter", { old: "live", canary: "live" });
    await stack.reaches("emitter", ["old", "canary"]);
    stack.removeServiceFile(one.name);
    await stack.lists("emitter", { [other]: "live" });
    await stack.reaches("emitter", [other]);
    stack.writeServiceFile(one.name, {
      service: "//emitter",
      version: one === old ? "1" : "2",
      url: one.url,
      instance: one.name,
    });
    await stack.lists("emitter", { old: "live", canary: "live" });
    await stack.reaches("emitter", ["old", "canary"]);
  }
  canary.child.kill("SIGKILL");
  await stack.reaches("emitter", ["old"]);
  const { failures, ok } = await load.stop();
  expect(failures).toEqual([]);
  // Enough to meet every death, at whatever pace the machine asks.
  expect(ok).toBeGreaterThan(100);
});
