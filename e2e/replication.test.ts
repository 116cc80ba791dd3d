import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { startLoad } from "./harness/load.ts";
import { Replicas } from "./harness/replicas.ts";
import { scaled } from "./harness/scale.ts";
import { Stack } from "./harness/stack.ts";
import { eventually, sleep } from "./harness/wait.ts";

let stack: Stack;
let replicas: Replicas;
beforeEach(async () => {
  stack = new Stack();
  replicas = await Replicas.start(stack, 3);
});
afterEach(async () => {
  await stack.dispose();
  await replicas.dispose();
});

const ALL = [0, 1, 2] as const;

/** One machine with two instances of emitter, whose Watson and Sherlock know all three directories. */
async function startMachine(): Promise<void> {
  const watson = stack.startWatson({ directories: replicas.list });
  const sherlock = stack.startSherlock(replicas.flags.slice(2), { directories: replicas.list });
  await Promise.all([watson, sherlock]);
  await Promise.all(["a", "b"].map((name) => stack.startInstance({ service: "emitter", name, version: "1" })));
  await stack.reaches("emitter", ["a", "b"]);
  for (const i of ALL) await eventually(async () => expect(await replicas.instances(i, "emitter")).toBe(BOTH));
}

const MORE_THAN_A_LEASE_MS = 6_000;
const BOTH = "a live, b live";
const names = (instances: string): string[] => instances.split(", ").map((one) => one.split(" ", 1)[0] ?? "");

/** Looks up a service at every directory that is there, again and again, as a client would that fails over. */
function startLookups(): { stop(): Promise<{ readonly lookups: number; readonly failures: readonly string[] }> } {
  const failures: string[] = [];
  let lookups = 0;
  const stopping = new AbortController();
  const run = async (): Promise<void> => {
    while (!stopping.signal.aborted) {
      const answers = await Promise.allSettled(ALL.map((i) => replicas.instances(i, "emitter")));
      const given = answers.flatMap((answer) => (answer.status === "fulfilled" ? [answer.value] : []));
      lookups += 1;
      if (given.length === 0) failures.push("no directory answered");
      for (const answer of given) if (names(answer).toSorted().join() !== "a,b") failures.push(answer);
      await sleep(25);
    }
  };
  const running = run();
  return {
    async stop() {
      stopping.abort();
      await running;
      return { lookups, failures };
    },
  };
}

describe("three directories over one etcd", () => {
  test("a change made at one is seen at all, with its history and undo", async () => {
    await startMachine();
    await stack.startInstance({ service: "emitter", name: "c", version: "2" });
    for (const i of ALL) await eventually(async () => expect(await replicas.instances(i, "emitter")).toMatch(/c live/));
    const route = { source: "//emitter", target: "//emitter(2)", percent: 10 };
    expect(await replicas.send(0, "POST", "/v1/routes", route)).toMatchObject({ status: 200 });
    for (const i of ALL) {
      await eventually(async () => {
        const { routes } = await replicas.ask<{ routes: unknown[] }>(i, "/v1/routes");
        expect(routes).toMatchObject([{ service: "emitter", target: "//emitter(2)", percent: 10 }]);
      });
    }
    const together = ALL.map((i) =>
      replicas.send(i, "POST", "/v1/routes", { ...route, source: "//monolith", percent: 20 + i }),
    );
    expect((await Promise.all(together)).map(({ status }) => status)).toEqual([200, 200, 200]);
    expect(await replicas.send(2, "POST", "/v1/routes/undo", {})).toMatchObject({ status: 200 });
    type History = { history: { id: number; undone: boolean }[] };
    await eventually(async () => {
      const histories = await Promise.all(ALL.map((i) => replicas.ask<History>(i, "/v1/routes/history")));
      expect(histories[0]?.history).toHaveLength(5);
      expect(new Set(histories.map(({ history }) => JSON.stringify(history))).size).toBe(1);
    });
  });

  test("each is killed in turn under load: no registration is lost and no lookup fails", async () => {
    await startMachine();
    const load = startLoad({ url: await stack.url("/emitter/"), connections: 4, pauseMs: 10 });
    const lookups = startLookups();
    for (let round = 0; round < scaled(10, 1); round++) {
      for (const i of ALL) {
        await replicas.end(i, round % 2 === 0 ? "SIGKILL" : "SIGTERM");
        const others = ALL.filter((other) => other !== i);
        await eventually(async () => {
          type Callers = { callers: { name: string }[] };
          const callers = await Promise.all(others.map((other) => replicas.ask<Callers>(other, "/v1/callers")));
          expect(callers.flatMap((one) => one.callers).map(({ name }) => name)).toContain("monolith");
        });
        // The Watson has moved as well: what it says is heard, and nobody takes its instances for lost.
        await sleep(MORE_THAN_A_LEASE_MS);
        for (const other of others) expect(await replicas.instances(other, "emitter")).toBe(BOTH);
        await replicas.start(i);
      }
    }
    const looked = await lookups.stop();
    const report = await load.stop();
    expect(looked.failures).toEqual([]);
    expect(looked.lookups).toBeGreaterThan(100);
    expect(report.failures).toEqual([]);
  });

  test.each(["SIGSTOP", "SIGKILL"] as const)(
    "with etcd away by %s they serve the last table, say so, and recover",
    async (signal) => {
      await startMachine();
      const load = startLoad({ url: await stack.url("/emitter/"), connections: 2, pauseMs: 5 });
      await replicas.etcd.signal(signal);
      for (const i of ALL) {
        await eventually(async () => {
          const { directory, problems } = await replicas.status(i);
          expect(directory).toMatchObject({ state: "read-only", store: "etcd" });
          expect(problems[0]).toMatchObject({ severity: "error", remedy: expect.stringContaining("etcd") });
        });
        const refused = await replicas.send(i, "POST", "/v1/services", { service: "//new" });
        expect(refused).toMatchObject({ status: 503, text: expect.stringContaining("out of reach") });
      }
      await sleep(MORE_THAN_A_LEASE_MS);
      for (const i of ALL) expect(await replicas.instances(i, "emitter")).toBe(BOTH);
      if (signal === "SIGSTOP") await replicas.etcd.signal("SIGCONT");
      else await replicas.etcd.start();
      await eventually(async () => {
        expect(await replicas.send(1, "POST", "/v1/services", { service: "//new" })).toMatchObject({ status: 200 });
      });
      for (const i of ALL) {
        await eventually(async () => {
          expect((await replicas.status(i)).directory.state).not.toBe("read-only");
          await replicas.ask(i, "/v1/services/new");
        });
        expect(await replicas.instances(i, "emitter")).toBe(BOTH);
      }
      expect((await load.stop()).failures).toEqual([]);
    },
  );
});
