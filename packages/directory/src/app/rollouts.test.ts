import type { RolloutListing } from "@datawire/api";
import { Chance } from "@datawire/protocol/testing/chance";
import { expect, onTestFinished, test } from "vitest";
import { type Client, type Reachable, sherlockOf, watsonOf } from "../testing/served.ts";
import { type MemorySocket, type ServedInMemory, serveInMemory } from "../testing/memory/served-in-memory.ts";
import { MemoryStore } from "../testing/memory/memory-store.ts";
import { registration } from "../testing/worlds.ts";

/** What a Sherlock counts in each of its five seconds: by version. */
interface Traffic {
  readonly target?: { readonly requests: number; readonly errors?: number };
  readonly primary?: { readonly requests: number; readonly errors?: number };
}

const GOOD: Traffic = { target: { requests: 500 }, primary: { requests: 5_000 } };
const BAD: Traffic = { target: { requests: 100, errors: 5 }, primary: { requests: 900 } };
const START = { target: "//barker(2)", steps: "10%:10s,50%:10s", checks: ["error-rate <= primary + 1%"] };
/** What a hand does that pauses it. */
const PAUSED_BY_HAND = { source: "//*", target: "//barker(3)", percent: 5 };

/** A directory with both versions of a service and a Sherlock that reports. */
async function world({ store = new MemoryStore(), clock }: Partial<Parameters<typeof serveInMemory>[0]> = {}) {
  const served = await serveInMemory({ store, ...(clock !== undefined && { clock }) });
  let stopped = false;
  const stop = async (): Promise<void> => {
    if (!stopped) await served.stop();
    stopped = true;
  };
  onTestFinished(stop);
  const { client: watson } = await watsonOf(served, "vm1", [
    registration("barker@a:1"),
    registration("barker@b:2"),
    registration("barker@c:3"),
  ]);
  const sherlock = await sherlockOf(served, "monolith");
  return { served, sherlock, watson, stop, ...helpers(served, sherlock) };
}

function helpers(served: ServedInMemory, sherlock: Client<MemorySocket>) {
  const { clock } = served;
  /** Five seconds at a time, each with its report. */
  const pass = async (reports: number, traffic: Traffic | null): Promise<void> => {
    for (let i = 0; i < reports; i++) {
      await clock.advance(5_000);
      if (traffic !== null) report(sherlock, traffic);
      await clock.advance(1_200);
    }
  };
  const shown = async (id = "1") => {
    const { body } = await served.get(`/v1/rollouts/${encodeURIComponent(id)}`);
    return (body["rollouts"] as RolloutListing[])[0] as RolloutListing;
  };
  const routes = async () => (await served.get("/v1/table")).body["tables"];
  const history = async () =>
    ((await served.get("/v1/routes/history")).body["history"] as { who: string; action: string }[]).map(
      ({ who, action }) => `${who}: ${action}`,
    );
  const start = (file: object = {}) => as("ann@vm1", served)("POST", "/v1/rollouts", { ...START, ...file });
  return { clock, pass, shown, routes, history, start };
}

const as =
  (who: string, served: Pick<Reachable<MemorySocket>, "send">) =>
  (method: string, path: string, body: object = {}) =>
    served.send(method, path, body, { "x-datawire-user": who });

function report(sherlock: Client<MemorySocket>, { target, primary }: Traffic, periodMs = 5_000): void {
  const line = (
    version: string,
    instance: string,
    { requests, errors = 0 }: { requests: number; errors?: number },
  ) => ({
    service: "barker",
    version,
    instance,
    requests,
    responses: [0, requests - errors, 0, 0, errors],
    failures: 0,
    latencyMs: null,
  });
  const counters = [
    ...(target === undefined ? [] : [line("2", "b", target)]),
    ...(primary === undefined ? [] : [line("1", "a", primary)]),
  ];
  sherlock.send({ type: "counters", periodMs, counters });
}

test("a good version goes through its steps to the primary, and the routes that named it are gone", async () => {
  const { start, pass, shown, routes, served, history } = await world();
  const { status, body } = await start();
  expect({ status, ...body }).toMatchObject({
    status: 200,
    changed: true,
    rollouts: [
      { id: "1", service: "barker", target: "//barker(2)", from: null, state: "running", step: 0, by: "ann@vm1" },
    ],
  });
  expect(await routes()).toMatchObject([
    { caller: "*", service: "barker", routes: [{ target: "//barker(2)", share: 1_000 }] },
  ]);
  await pass(3, GOOD);
  expect(await routes()).toMatchObject([{ routes: [{ target: "//barker(2)", share: 5_000 }] }]);
  await pass(4, GOOD);
  expect(await shown()).toMatchObject({ state: "promoted", steps: [{ state: "passed" }, { state: "passed" }] });
  expect(await routes()).toEqual([]);
  expect((await served.get("/v1/services/barker")).body["service"]).toMatchObject({ primary: "2" });
  expect((await history()).filter((line) => line.includes("rollout 1, started by ann@vm1"))).toEqual([
    expect.stringMatching(/^directory: .*promotes \/\/barker\(2\)$/),
    expect.stringMatching(
      /^directory: .*: error-rate <= primary \+ 1% passes: 0% of \d+ requests, between 0% and .*% at 10%; step 2 of 2: \/\/barker\(2\) 10% → 50%$/,
    ),
    expect.stringMatching(/^ann@vm1: .*step 1 of 2: \/\/barker\(2\) 0% → 10% of any caller$/),
  ]);
});

test("a version that fails is taken back, and the routes are exactly those from before", async () => {
  const { start, pass, shown, routes, served, history } = await world();
  await as("bob@vm2", served)("POST", "/v1/routes", {
    source: "//*",
    target: "//barker(3)",
    percent: 5,
    sticky: "cookie:user",
  });
  const before = await routes();
  await start();
  expect(await routes()).not.toEqual(before);
  await pass(6, BAD);
  const rollout = await shown();
  expect(rollout).toMatchObject({ state: "rolled-back", steps: [{ state: "failed" }, { state: "waiting" }] });
  expect(rollout.reason).toMatch(/^error-rate <= primary \+ 1% failed: 5%, at least [\d.]+%, of \d+ requests/);
  expect(rollout.endedAt).not.toBeNull();
  expect(await routes()).toEqual(before);
  expect((await history())[0]).toMatch(
    /^directory: rollout 1, started by ann@vm1: takes \/\/barker\(2\) back from 10%: error-rate/,
  );
});

test("what a report spans beyond the beginning of the step is not counted", async () => {
  const { start, shown, sherlock, clock } = await world();
  await clock.advance(10_000);
  await start();
  await clock.advance(4_000);
  report(sherlock, BAD);
  await clock.advance(5_000);
  report(sherlock, BAD, 60_000);
  await clock.advance(6_000);
  expect((await shown()).steps[0]).toMatchObject({ requests: 0 });
  report(sherlock, BAD);
  await clock.advance(6_000);
  expect((await shown()).steps[0]).toMatchObject({
    requests: 100,
    checks: [{ state: "undecided", target: 5, baseline: 0, limit: 1 }],
  });
});

test("a hand on the same routes pauses it, saying by whom, and afterwards it touches its own route alone", async () => {
  const { start, shown, routes, served, pass } = await world();
  await start();
  const changed = await as("bob@vm2", served)("POST", "/v1/routes", PAUSED_BY_HAND);
  expect(changed.body["notes"]).toEqual(["rollout 1, started by ann@vm1, is paused by this"]);
  expect(await shown("//barker")).toMatchObject({ state: "paused", reason: "its routes changed by bob@vm2" });
  await pass(4, BAD);
  expect(await shown()).toMatchObject({ state: "paused" });
  await as("ann@vm1", served)("POST", "/v1/rollouts/1/resume", {});
  await pass(8, BAD);
  expect(await shown()).toMatchObject({ state: "rolled-back" });
  expect(await routes()).toMatchObject([{ routes: [{ target: "//barker(3)", share: 500 }] }]);
});

test("one rollout of a service at a time; abort brings the routes back, and what is over takes no command", async () => {
  const { start, shown, routes, served } = await world();
  await start();
  expect(await start()).toMatchObject({
    status: 409,
    body: {
      error: { message: "Cannot roll out //barker(2): rollout 1, started by ann@vm1, of //barker(2) is running" },
    },
  });
  const command = as("bob@vm2", served);
  expect((await command("POST", "/v1/rollouts/1/pause", { reason: "lunch" })).body["rollouts"]).toMatchObject([
    { state: "paused", reason: "paused by bob@vm2: lunch" },
  ]);
  expect((await command("POST", "/v1/rollouts/1/pause")).body).toMatchObject({ changed: false });
  expect((await command("POST", "/v1/rollouts/1/promote", { step: true })).body["rollouts"]).toMatchObject([
    { state: "running", step: 1 },
  ]);
  expect((await command("POST", "/v1/rollouts/%2F%2Fbarker/abort", { dryRun: true })).body).toMatchObject({
    changed: false,
  });
  await command("POST", "/v1/rollouts/%2F%2Fbarker/abort", { reason: "no" });
  expect(await shown()).toMatchObject({ state: "aborted", reason: "aborted by bob@vm2: no" });
  expect(await routes()).toEqual([]);
  expect(await command("POST", "/v1/rollouts/1/abort")).toMatchObject({ status: 409 });
  expect(await command("POST", "/v1/rollouts/7/abort")).toMatchObject({ status: 404 });
  expect(await start()).toMatchObject({ status: 200, body: { rollouts: [{ id: "2" }] } });
});

test("a dry run tells the shares, how many requests each check needs and how long that takes", async () => {
  const { start, routes, pass } = await world();
  await pass(13, { primary: { requests: 1_000 } });
  const { body } = await start({ dryRun: true, checks: ["error-rate <= 5%", "p99 <= 300ms"] });
  expect(body).toMatchObject({
    changed: false,
    rollouts: [{ steps: [{ share: 10 }, { share: 50 }] }],
    distribution: { shares: [{ target: "//barker(2)", percent: 10 }, { percent: 90 }] },
    needs: [
      { name: "error-rate <= 5%", requests: 115 },
      { name: "p99 <= 300ms", requests: 585 },
    ],
    notes: [expect.stringMatching(/^no Sherlock tells percentiles by now, .* p99 <= 300ms/)],
  });
  const [{ seconds }] = body["needs"] as [{ seconds: number[] }];
  expect(seconds[0]).toBeGreaterThan(3 * (seconds[1] ?? 0));
  expect(await routes()).toEqual([]);
});

test("a target without a live instance for 10 s is taken back", async () => {
  const { start, shown, watson, clock } = await world();
  await start();
  watson.send({ type: "update", seq: 2, instances: [registration("barker@b:2", { state: "down" })], gone: [] });
  await clock.advance(9_000);
  expect(await shown()).toMatchObject({ state: "running" });
  await clock.advance(2_500);
  expect(await shown()).toMatchObject({ state: "rolled-back", reason: "//barker(2) had no live instance for 10 s" });
});

test("an instance of the target that leaves and comes back is no failure, and what it had counted stays", async () => {
  const { start, shown, watson, clock, pass } = await world();
  await start({ steps: "10%:60s" });
  await pass(2, GOOD);
  const { requests } = (await shown()).steps[0] ?? { requests: 0 };
  expect(requests).toBe(1_000);
  for (let i = 0; i < 3; i++) {
    watson.send({ type: "update", seq: 2 + 2 * i, instances: [], gone: ["barker@b"] });
    await clock.advance(8_000);
    watson.send({ type: "update", seq: 3 + 2 * i, instances: [registration("barker@b:2")], gone: [] });
    await clock.advance(2_000);
  }
  await pass(1, GOOD);
  expect(await shown()).toMatchObject({ state: "running", step: 0, steps: [{ requests: requests + 500 }] });
});

test.each(Array.from({ length: 12 }, (_, i) => i + 1))(
  "after every end the routes are those that the state says, whatever hands did meanwhile (seed %d)",
  async (seed) => {
    const chance = new Chance(seed);
    const { start, shown, served, pass } = await world();
    const hand = as("bob@vm2", served);
    type Table = {
      readonly caller: string;
      readonly routes: readonly { readonly target: string; readonly share: number }[];
    };
    const all = async (): Promise<Table["routes"]> =>
      ((await served.get("/v1/table")).body["tables"] as Table[]).find(({ caller }) => caller === "*")?.routes ?? [];
    const ofOthers = (list: Table["routes"]) => list.filter(({ target }) => target !== "//barker(2)");
    const own = (list: Table["routes"]) => list.find(({ target }) => target === "//barker(2)")?.share ?? null;
    const routeOf = (target: string, percent: number) => ({ source: "//*", target, percent });
    if (chance.once(2)) await hand("POST", "/v1/routes", routeOf("//barker(2)", 3));
    if (chance.once(2)) await hand("POST", "/v1/routes", routeOf("//barker@c", 4));
    const before = await all();
    const finish = chance.pick(["promote", "keep"]);
    await start({ steps: "10%:10s,30%:10s", finish, undecided: "wait" });
    let isShared = false;
    for (let i = 0; ; i++) {
      const seen = await all();
      // The last one ends it, whatever has happened.
      const step = i === 12 ? 4 : chance.int(9);
      if (step <= 2) {
        const target = chance.pick(["//barker(3)", "//barker@a", "//barker(2)"]);
        const { status } = await hand("POST", "/v1/routes", routeOf(target, 1 + chance.int(20)));
        isShared ||= status === 200;
      } else if (step === 3) {
        const { status } = await hand("DELETE", "/v1/routes", {
          source: "//*",
          target: chance.pick(["//barker(2)", "//barker@c"]),
        });
        isShared ||= status === 200;
      } else if (step === 4) await hand("POST", `/v1/rollouts/1/${chance.pick(["abort", "promote"])}`);
      else if (step <= 6) await hand("POST", "/v1/rollouts/1/resume", {});
      else await pass(2, chance.pick([GOOD, BAD]));
      const { state } = await shown();
      if (state === "running" || state === "paused") continue;
      const after = await all();
      if (!isShared && state !== "promoted") expect(after).toEqual(before);
      else expect(ofOthers(after)).toEqual(ofOthers(seen));
      if (state === "promoted") expect(own(after)).toBe(finish === "keep" ? 3_000 : null);
      else expect([own(before), null]).toContain(own(after));
      return;
    }
  },
);

test("without a Sherlock nobody watches, no time passes, and the status says so", async () => {
  const { start, shown, sherlock, clock, served } = await world();
  const problems = async () =>
    ((await served.get("/v1/status")).body["problems"] as { subject: string }[]).filter(({ subject }) =>
      subject.startsWith("rollout"),
    );
  await start({ no_data: "fail" });
  expect(await problems()).toEqual([]);
  sherlock.socket.close();
  await clock.advance(300_000);
  expect(await shown()).toMatchObject({ state: "running", steps: [{ watchedMs: 0 }, {}] });
  expect(await problems()).toEqual([
    {
      severity: "warning",
      subject: "rollout 1 of //barker(2)",
      message:
        "stays at 10%, and nobody judges it: no Sherlock, library or router is connected that counts its requests",
      remedy: "it goes on by itself when one is; `dw rollout abort 1` brings back the routes from before",
    },
  ]);
  await served.send("POST", "/v1/rollouts/1/pause", {});
  expect(await problems()).toEqual([]);
});

test("a restart goes on at the same step with what was counted", async () => {
  const store = new MemoryStore();
  const first = await world({ store });
  await first.start({ steps: "10%:60s" });
  await first.pass(4, GOOD);
  const before = await first.shown();
  expect(before.steps[0]?.requests).toBe(2_000);
  await first.stop();
  const { shown, pass, routes } = await world({ store, clock: first.clock });
  expect(await shown()).toEqual(before);
  await pass(3, GOOD);
  const after = await shown();
  expect(after).toMatchObject({ state: "running", step: 0, steps: [{ requests: 3_500 }] });
  expect(after.steps[0]?.startedAt).toBe(before.steps[0]?.startedAt);
  expect(await routes()).toMatchObject([{ routes: [{ share: 1_000 }] }]);
});

test("a store that takes nothing pauses judgement", async () => {
  const store = new MemoryStore();
  const { start, shown, pass } = await world({ store });
  await start();
  await pass(1, GOOD);
  const { steps } = await shown();
  store.failing = true;
  await pass(20, BAD);
  store.failing = false;
  expect(await shown()).toMatchObject({ state: "running", step: 0 });
  expect((await shown()).steps[0]?.watchedMs).toBe(steps[0]?.watchedMs);
});

/** As much of records as a test adds to. */
interface Written {
  readonly routes: readonly object[];
  readonly settings: object;
  readonly rollout: { readonly plan: object };
}

test("what a newer version has written into records stays in them when they are written again", async () => {
  const store = new MemoryStore();
  const { start, pass, served } = await world({ store });
  await start();
  const command = as("bob@vm2", served);
  const balance = async (text: string): Promise<void> => {
    const { status } = await command("PUT", "/v1/services/barker", { balance: text });
    expect(status).toBe(200);
  };
  await balance("random");
  const add = (key: string, change: (value: Written) => unknown): void => {
    const record = store.records.get(key);
    store.tell([{ key, value: change(record?.value as Written), version: record?.version ?? 0 }]);
  };
  add("table/*>barker", (table) => ({ ...table, mirror: "//shadow", routes: [{ ...table.routes[0], pace: 5 }] }));
  add("service/barker", (one) => ({ ...one, owner: "ann", settings: { ...one.settings, limit: 7 } }));
  add("rollout/1", (one) => ({
    ...one,
    team: "blue",
    rollout: { ...one.rollout, plan: { ...one.rollout.plan, x: 1 } },
  }));
  await balance("least-connections");
  await pass(3, GOOD);
  const valueOf = (key: string): unknown => store.records.get(key)?.value;
  expect(valueOf("rollout/1")).toMatchObject({ team: "blue", rollout: { step: 1, plan: { x: 1 } } });
  expect(valueOf("table/*>barker")).toMatchObject({ mirror: "//shadow", routes: [{ share: 5_000, pace: 5 }] });
  expect(valueOf("service/barker")).toMatchObject({ owner: "ann", settings: { limit: 7 } });
  // It is not for anyone else: what both sides compare is what both know.
  expect(JSON.stringify((await served.get("/v1/table")).body)).not.toMatch(/mirror|pace|limit|owner/);
});

test("what the target had before comes back, also where a hand changed the other routes", async () => {
  const { start, routes, served } = await world();
  const command = as("bob@vm2", served);
  await command("POST", "/v1/routes", { source: "//*", target: "//barker(2)", percent: 2, when: "header:X-Canary=1" });
  await start();
  expect(await routes()).toMatchObject([
    { routes: [{ target: "//barker(2)", share: 1_000, when: "header:X-Canary=1" }] },
  ]);
  await command("POST", "/v1/routes", PAUSED_BY_HAND);
  await command("POST", "/v1/rollouts/1/abort");
  expect(await routes()).toMatchObject([
    {
      routes: [
        { target: "//barker(2)", share: 200, when: "header:X-Canary=1" },
        { target: "//barker(3)", share: 500 },
      ],
    },
  ]);
});

test("a hand that takes the target's route away is obeyed: an abort leaves it so, and keeps what else the hand made", async () => {
  const { start, routes, served } = await world();
  const command = as("bob@vm2", served);
  await start();
  await command("POST", "/v1/routes", PAUSED_BY_HAND);
  await command("DELETE", "/v1/routes", { source: "//*", target: "//barker(2)" });
  await command("POST", "/v1/rollouts/1/abort");
  expect(await routes()).toMatchObject([{ routes: [{ target: "//barker(3)", share: 500 }] }]);
});

test("an undo of what was done meanwhile does not bring back the share of a rollout that was taken back", async () => {
  const { start, routes, served } = await world();
  const command = as("bob@vm2", served);
  await start();
  await command("POST", "/v1/routes", PAUSED_BY_HAND);
  await command("POST", "/v1/services/barker/promote", { generation: "2" });
  await command("POST", "/v1/rollouts/1/abort");
  const preview = await command("POST", "/v1/routes/undo", { dryRun: true });
  const { body } = await command("POST", "/v1/routes/undo");
  const note = "//barker(2) stays as rollout 1 has left it, which was aborted";
  expect([preview.body["notes"], body["notes"]]).toEqual([[note], [note]]);
  expect((await served.get("/v1/services/barker")).body["service"]).toMatchObject({ primary: "1" });
  expect(await routes()).toMatchObject([{ routes: [{ target: "//barker(3)", share: 500 }] }]);
  await command("POST", "/v1/routes/undo");
  expect(await routes()).toEqual([]);
});

test("an undo brings back what the target of a rollout had before that", async () => {
  const { start, routes, served } = await world();
  const command = as("bob@vm2", served);
  await command("POST", "/v1/routes", { source: "//*", target: "//barker(2)", percent: 2, when: "header:X-Canary=1" });
  await start();
  await command("POST", "/v1/services/barker/promote", { generation: "2" });
  await command("POST", "/v1/rollouts/1/abort");
  expect(await routes()).toEqual([]);
  await command("POST", "/v1/routes/undo");
  expect(await routes()).toMatchObject([{ routes: [{ share: 200, when: "header:X-Canary=1" }] }]);
  await command("POST", "/v1/routes/undo");
  expect(await routes()).toEqual([]);
});

test("an undo leaves the share with which a rollout has ended, and gives it back while it goes on", async () => {
  const { start, routes, pass, served } = await world();
  const command = as("bob@vm2", served);
  await start({ finish: "keep" });
  await command("POST", "/v1/services/barker/promote", { generation: "2" });
  await command("POST", "/v1/routes/undo");
  expect(await routes()).toMatchObject([{ routes: [{ target: "//barker(2)", share: 1_000 }] }]);
  await command("POST", "/v1/routes", PAUSED_BY_HAND);
  await command("POST", "/v1/rollouts/1/resume");
  await pass(9, GOOD);
  expect(await routes()).toMatchObject([{ routes: [{ share: 5_000 }, { target: "//barker(3)", share: 500 }] }]);
  await command("POST", "/v1/routes/undo");
  expect(await routes()).toMatchObject([{ routes: [{ target: "//barker(2)", share: 5_000 }] }]);
});

test("with a caller, only its requests are sent and counted, and its last share stays", async () => {
  const { start, shown, routes, pass, served } = await world();
  await as("bob@vm2", served)("POST", "/v1/routes", PAUSED_BY_HAND);
  const worker = await sherlockOf(served, "worker");
  await start({ from: "//monolith", steps: "10%:10s" });
  await served.clock.advance(5_000);
  report(worker, BAD);
  await pass(3, GOOD);
  expect(await shown()).toMatchObject({ state: "promoted", from: "monolith", steps: [{ checks: [{ target: 0 }] }] });
  expect(await routes()).toMatchObject([
    { caller: "*", routes: [{ target: "//barker(3)", share: 500 }] },
    { caller: "monolith", routes: [{ target: "//barker(2)", share: 1_000 }] },
  ]);
});

test("a change of the primary by hand pauses it, and a promotion by hand ends it at once", async () => {
  const { start, shown, routes, served } = await world();
  const command = as("bob@vm2", served);
  await start();
  await command("POST", "/v1/services/barker/promote", { generation: "3" });
  expect(await shown()).toMatchObject({ state: "paused", reason: "the primary changed by bob@vm2" });
  const { body } = await command("POST", "/v1/rollouts/1/promote", { reason: "it is good" });
  expect(body["rollouts"]).toMatchObject([{ state: "promoted" }]);
  expect(await routes()).toEqual([]);
  expect((await served.get("/v1/services/barker")).body["service"]).toMatchObject({ primary: "2" });
});

test.each([
  [{ target: "//nobody(2)" }, 404, /no service nobody|nobody/],
  [{ target: "//barker(9)" }, 404, /no registered instance of barker matches/],
  [{ target: "//barker(1)" }, 409, /it is the primary already/],
  [{ checks: ["error-rate < 1%"] }, 400, /as a check/],
  [{ steps: "10%" }, 400, /wanted SHARE:DURATION/],
  [{ stepz: "10%:5m" }, 400, /stepz/],
])("a start with %j is refused with %d", async (file, status, message) => {
  const { start, routes } = await world();
  const answer = await start(file);
  expect({ status: answer.status, text: JSON.stringify(answer.body) }).toEqual({
    status,
    text: expect.stringMatching(message),
  });
  expect(await routes()).toEqual([]);
});

test("one whose target a hand has made the primary goes on no more: its share would take the rest away", async () => {
  const { start, routes, shown, served } = await world();
  await start();
  await served.send("POST", "/v1/services/barker/promote", { generation: "2" });
  expect(await shown()).toMatchObject({ state: "paused" });
  const resumed = await served.send("POST", "/v1/rollouts/1/resume", {});
  expect({ status: resumed.status, ...resumed.body }).toMatchObject({
    status: 409,
    error: {
      message:
        "Cannot resume rollout 1: //barker(2) is the primary already; `dw rollout promote 1` ends it with that, `dw rollout abort 1` with the routes from before",
    },
  });
  expect((await served.send("POST", "/v1/rollouts/1/promote", { step: true })).status).toBe(409);
  expect(await routes()).toEqual([]);
  expect((await served.send("POST", "/v1/rollouts/1/promote", {})).status).toBe(200);
  expect(await shown()).toMatchObject({ state: "promoted" });
  expect(await routes()).toEqual([]);
});

test("a start for which others leave no room at a later step is refused at once", async () => {
  const { start, routes, served } = await world();
  await as("bob@vm2", served)("POST", "/v1/routes", { source: "//*", target: "//barker(3)", percent: 60 });
  const before = await routes();
  expect(await start()).toMatchObject({ status: 409 });
  expect(await routes()).toEqual(before);
});

test("at most a hundred ended rollouts are remembered, and ids go on", async () => {
  const { start, served } = await world();
  const command = as("ann@vm1", served);
  for (let i = 1; i <= 103; i++) {
    await start();
    await command("POST", `/v1/rollouts/${i}/abort`);
  }
  const { rollouts } = (await served.get("/v1/rollouts")).body as { rollouts: RolloutListing[] };
  expect(rollouts.map(({ id }) => Number(id))).toEqual(Array.from({ length: 100 }, (_, i) => 103 - i));
});
