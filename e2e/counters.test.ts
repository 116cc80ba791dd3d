import { countOf, quantileOf } from "@datawire/protocol";
import { afterEach, beforeEach, expect, test } from "vitest";
import { sendRequests, startLoad } from "./harness/load.ts";
import { instanceAt, Stack } from "./harness/stack.ts";
import { eventually } from "./harness/wait.ts";

let stack: Stack;
beforeEach(() => {
  stack = new Stack();
});
afterEach(() => stack.dispose());

interface Counter {
  readonly caller: string;
  readonly service: string;
  readonly version: string | null;
  readonly instance: string | null;
  readonly requests: number;
  readonly responses: readonly number[];
  readonly failures: number;
  readonly latencyMs: { readonly average: number; readonly max: number } | null;
  readonly latencies: readonly number[];
}

/** What `dw top --json` prints, as far as it is looked at. */
interface Top {
  readonly services: readonly {
    readonly service: string;
    readonly versions: readonly { readonly version: string; readonly rates: { readonly p99Ms: number | null } }[];
  }[];
}

async function countersOf(service: string): Promise<Counter[]> {
  // Of all the time, as what a busy machine takes longer for is not within the last few seconds any more.
  const { counters } = await stack.read<{ counters: Counter[] }>("/v1/counters?seconds=600");
  return counters.filter((counter) => counter.service === service);
}

test("what Sherlock counts reaches the directory once, also over its restart", async () => {
  await stack.startDirectory();
  await stack.startInstance({ service: "emitter", name: "old", version: "1.4.2" });
  await stack.startInstance({ service: "emitter", name: "new", version: "2" });
  await stack.startWatson();
  const sherlock = await stack.startSherlock([], { percentiles: "on" });
  await stack.lists("emitter", { old: "live", new: "live" });
  await stack.followed();
  expect(await stack.dw("route", "add", "//monolith", "//emitter(2)", "0%", "--when", "path:/new")).toMatchObject({
    code: 0,
  });
  // Until the route is followed they are the primary's, and count there.
  let early = 0;
  await eventually(async () => {
    const by = await instanceAt(await stack.url("/emitter/new"));
    if (by === "old") early += 1;
    expect(by).toBe("new");
  });
  const slow = { url: await stack.url("/emitter/new?ms=50"), connections: 2 };
  const [old, recent] = await Promise.all([
    sendRequests(60, { url: await stack.url("/emitter/"), connections: 2 }),
    sendRequests(30, slow),
  ]);
  const find = async (instance: string): Promise<Counter> =>
    (await countersOf("emitter")).find((one) => one.instance === instance) as Counter;
  const expected = { caller: "monolith", service: "emitter", failures: 0 };
  await eventually(async () => {
    expect(await find("old")).toMatchObject({ ...expected, version: "1.4.2", requests: early + old.requests });
    const counter = await find("new");
    expect(counter).toMatchObject({ ...expected, version: "2" });
    expect(counter.requests).toBeGreaterThanOrEqual(recent.requests);
    expect(counter.responses).toEqual([0, counter.requests, 0, 0, 0]);
    expect(counter.latencyMs?.max).toBeGreaterThanOrEqual(50);
    expect(counter.latencyMs?.average).toBeGreaterThan(20);
    expect(countOf((await find("old")).latencies)).toBe(early + old.requests);
    expect(countOf(counter.latencies)).toBe(counter.requests);
    // The first ones that tried whether the route holds were quick.
    expect(quantileOf(counter.latencies, 0.9)).toBeGreaterThanOrEqual(50 * (1 - 1 / 16));
  });
  const { requests } = await find("old");
  await eventually(async () => {
    const total = requests + (await find("new")).requests;
    expect(await stack.metric("sherlock", "datawire_requests_total")).toBe(total);
  });

  // The next one adopts HAProxy, whose counters go on; what came just before is told at the end.
  const last = await sendRequests(5, { url: await stack.url("/emitter/"), connections: 1 });
  sherlock.kill("SIGUSR1");
  await sherlock.exited;
  await stack.startSherlock([], { percentiles: "on" });
  const more = await sendRequests(10, { url: await stack.url("/emitter/"), connections: 1 });
  const all = requests + last.requests + more.requests;
  await eventually(async () => {
    const counter = await find("old");
    expect([counter.requests, countOf(counter.latencies)]).toEqual([all, all]);
  });

  // What it shows is of the last seconds, so that there have to be requests all the while.
  const loads = [slow.url, await stack.url("/emitter/")].map((url) => startLoad({ url, connections: 1, pauseMs: 100 }));
  await eventually(async () => {
    const top = JSON.parse((await stack.dw("top", "--json")).stdout) as Top;
    const versions = top.services.find(({ service }) => service === "emitter")?.versions ?? [];
    const p99 = (version: string) => versions.find((one) => one.version === version)?.rates.p99Ms ?? Number.NaN;
    expect(p99("2")).toBeGreaterThanOrEqual(50 * (1 - 1 / 16));
    expect(p99("1.4.2")).toBeGreaterThanOrEqual(0);
  });
  await Promise.all(loads.map((load) => load.stop()));
});
