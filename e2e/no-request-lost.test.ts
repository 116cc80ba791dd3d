import { takesInstances } from "@datawire/sherlock";
import { afterEach, beforeEach, expect, test } from "vitest";
import type { Child } from "./harness/child.ts";
import { haproxyFeatures } from "./harness/haproxy.ts";
import { type LoadReport, startLoad } from "./harness/load.ts";
import { killAll } from "./harness/processes.ts";
import { scaled } from "./harness/scale.ts";
import { PACE_OF_CHECKS, Stack } from "./harness/stack.ts";
import { eventually, sleep } from "./harness/wait.ts";

/** The steady load of all scenarios: so many connections, each with one request at a time. */
const CONNECTIONS = 8;
/** In all some 600 requests a second, as many as two busy cores make of 1,500. */
const PAUSE_MS = scaled(4, 12);

let stack: Stack;
let directory: Child;
beforeEach(async () => {
  stack = new Stack();
  directory = await stack.startDirectory();
  await stack.startInstance({ service: "emitter", name: "a", version: "1" });
  await stack.startInstance({ service: "emitter", name: "b", version: "1" });
});
afterEach(() => stack.dispose());

/** Runs a scenario under load and says what became of the requests, which is printed with its counts. */
async function underLoad(
  title: string,
  scenario: () => Promise<void>,
  method: "GET" | "POST" = "GET",
): Promise<LoadReport> {
  await stack.reaches("emitter", ["a", "b"]);
  const load = startLoad({ url: await stack.url("/emitter/"), connections: CONNECTIONS, method, pauseMs: PAUSE_MS });
  await scenario();
  // Enough to have met what was done, at whatever pace the machine asks.
  await eventually(() => expect(load.answered()).toBeGreaterThan(100));
  const report = await load.stop();
  process.stdout.write(
    `${title}: ${report.requests} requests, ${report.failures.length} failed, the slowest took ${report.slowestMs} ms\n`,
  );
  return report;
}

test("graceful joins and leaves, and changed percentages, lose nothing and need no reload", async () => {
  await Promise.all([stack.startWatson(), stack.startSherlock()]);
  await stack.startInstance({ service: "emitter", name: "canary", version: "2" });
  const rounds = scaled(100, 5);
  await stack.lists("emitter", { a: "live", b: "live", canary: "live" });
  await stack.addRoute("//monolith", "//emitter(2)", "0%");
  await stack.followed();
  const reloads = await stack.metric("sherlock", "datawire_sherlock_reloads_total");
  const { failures } = await underLoad(`${rounds} joins, leaves and changes`, async () => {
    for (let round = 0; round < rounds; round++) {
      const { child } = await stack.startInstance({ service: "emitter", name: "guest", version: "1" });
      await stack.reaches("emitter", ["a", "b", "guest"]);
      await stack.addRoute("//monolith", "//emitter(2)", `${(round * 37) % 100}%`);
      stack.removeServiceFile("guest");
      // Watson withdraws it when the drain time of its service file is over; an operator stops it then.
      await stack.lists("emitter", { a: "live", b: "live", canary: "live" });
      child.kill("SIGTERM");
      await stack.addRoute("//monolith", "//emitter(2)", "0%");
    }
  });
  expect(failures).toEqual([]);
  if (takesInstances(await haproxyFeatures())) {
    expect(await stack.metric("sherlock", "datawire_sherlock_reloads_total")).toBe(reloads);
  }
});

test("new services, with the reloads that some of them cost, lose nothing", async () => {
  await Promise.all([stack.startWatson(), stack.startSherlock()]);
  const services = scaled(50, 5);
  const reloads = (): Promise<number> => stack.metric("sherlock", "datawire_sherlock_reloads_total");
  await stack.reaches("emitter", ["a", "b"]);
  await stack.followed();
  const { failures } = await underLoad(`${services} new services of either kind`, async () => {
    const { url } = await stack.startInstance({ service: "new", name: "many", version: "1" });
    const come = async (kind: string, base: string): Promise<void> => {
      for (let i = 0; i < services; i++) {
        const name = `${kind}${i}`;
        stack.writeServiceFile(name, { service: `//${name}`, version: "1", url: `${url}${base}`, instance: "many" });
        await stack.reaches(name, ["many"]);
      }
    };
    const before = await reloads();
    await come("plain", "");
    // Half of the spare backends are gone after more than thirty.
    if (takesInstances(await haproxyFeatures()) && services < 30) expect(await reloads()).toBe(before);
    const between = await reloads();
    await come("based", "/base");
    expect((await reloads()) - between).toBeGreaterThanOrEqual(scaled(20, 3));
  });
  expect(failures).toEqual([]);
});

test("kills of the directory and of Sherlock lose nothing", async () => {
  await stack.startWatson();
  let sherlock = await stack.startSherlock();
  const kills = scaled(10, 2);
  const { failures } = await underLoad(`${kills} kills of the directory, ${kills} of Sherlock`, async () => {
    for (let i = 0; i < kills; i++) {
      directory.kill("SIGKILL");
      await directory.exited;
      directory = await stack.startDirectory();
      sherlock.kill("SIGKILL");
      await sherlock.exited;
      sherlock = await stack.startSherlock();
      await sleep(300);
    }
  });
  expect(failures).toEqual([]);
});

test.each([
  ["killed", "SIGKILL", "GET", 20, 2],
  ["frozen", "SIGSTOP", "GET", 10, 2],
  ["killed", "SIGKILL", "POST", 20, 2],
] as const)(
  "instances that are %s (%s) cost %s at most what was in flight and cannot be repeated",
  async (what, signal, method, full, brief) => {
    // Where HAProxy does not repeat what is cut, its time-out does.
    const timeout = (await haproxyFeatures()).repeatsCut ? {} : { services: { emitter: { timeout: "2s" } } };
    await Promise.all([stack.startWatson(), stack.startSherlock([], timeout)]);
    const rounds = scaled(full, brief);
    const { failures, slowestMs } = await underLoad(
      `${rounds} instances ${what}, ${method}`,
      async () => {
        for (let round = 0; round < rounds; round++) {
          // Its drain time is for instances that still answer. It alone is soon taken for frozen: those that stay may get
          // no turn for a while on a busy machine.
          const file = { drain: "10s", liveness: { ...PACE_OF_CHECKS, timeout: "500ms" } };
          const guest = await stack.startInstance({ service: "emitter", name: "guest", file });
          await stack.reaches("emitter", ["a", "b", "guest"]);
          guest.child.kill(signal);
          await stack.reaches("emitter", ["a", "b"]);
          stack.removeServiceFile("guest");
          guest.child.kill("SIGKILL");
          await stack.lists("emitter", { a: "live", b: "live" });
        }
      },
      method,
    );
    if (method === "GET") expect(failures).toEqual([]);
    // A third of the requests is at the dead instance; what it had begun to answer may have had its effect.
    else expect(failures.length).toBeLessThanOrEqual(rounds * CONNECTIONS);
    // Two checks of half a second each say that an instance is frozen: what waits for it is then answered elsewhere, and
    // not by the time-out of a minute.
    expect(slowestMs).toBeLessThan(60_000);
  },
);

test("a killed HAProxy is back within 150 ms", async () => {
  await Promise.all([stack.startWatson(), stack.startSherlock()]);
  const outages: number[] = [];
  const rounds = scaled(10, 3);
  const { failures } = await underLoad(`${rounds} kills of HAProxy`, async () => {
    for (let round = 0; round < rounds; round++) {
      const [master] = await stack.settledHaproxy();
      killAll([master]);
      const killed = performance.now();
      const url = await stack.url("/emitter/");
      await eventually(async () => expect((await fetch(url)).status).toBe(200));
      outages.push(Math.round(performance.now() - killed));
    }
  });
  process.stdout.write(`HAProxy was back after ${outages.join(", ")} ms\n`);
  // Nothing but refused or cut connections: no answer was wrong.
  expect(failures.filter(({ what }) => /^\d/.test(what))).toEqual([]);
});
