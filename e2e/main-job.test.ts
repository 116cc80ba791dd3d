import { endpoints } from "@datawire/api";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { sendRequests, startLoad } from "./harness/load.ts";
import { killAll } from "./harness/processes.ts";
import { instanceAt, Stack } from "./harness/stack.ts";
import { eventually } from "./harness/wait.ts";

interface ServiceRow {
  readonly service: string;
  readonly primary: string | null;
  readonly status: string;
  readonly instances: readonly {
    readonly name: string;
    readonly state: string;
    readonly role: string;
    readonly reason: string | null;
  }[];
}

let stack: Stack;
beforeEach(() => {
  stack = new Stack();
});
afterEach(() => stack.dispose());

/** A whole machine with two instances of version 1 and one of version 2. */
async function startAll(): Promise<void> {
  await stack.startDirectory();
  await Promise.all([stack.startWatson(), stack.startSherlock()]);
  await Promise.all([
    stack.startInstance({ service: "emitter", name: "a", version: "1.0" }),
    stack.startInstance({ service: "emitter", name: "b", version: "1.1" }),
  ]);
  await stack.reaches("emitter", ["a", "b"]);
}

describe("a caller reaches a live instance at localhost", () => {
  test("whatever starts first, and whichever version is held", async () => {
    const sherlock = stack.startSherlock();
    await stack.startInstance({ service: "emitter", name: "new", version: "2.0" });
    const watson = stack.startWatson();
    // Before the directory: the generations that it hears of in the first five seconds are chosen from.
    await stack.startInstance({ service: "emitter", name: "old", version: "1.0" });
    await stack.startDirectory();
    await Promise.all([sherlock, watson]);
    await stack.reaches("emitter", ["old"]);
    await stack.lists("emitter", { new: "live", old: "live" });
    const [emitter] = await stack.dwJson<ServiceRow[]>("service", "list");
    expect(emitter).toMatchObject({ service: "emitter", primary: "1", status: "live" });
    expect(emitter?.instances.map(({ name, role, state }) => ({ name, role, state }))).toEqual([
      { name: "new", role: "held", state: "live" },
      { name: "old", role: "primary", state: "live" },
    ]);
  });

  test("and is told which name is unknown, and which has nothing live", async () => {
    await startAll();
    const unknown = await fetch(await stack.url("/nobody/x"), { headers: { accept: "application/json" } });
    expect(unknown.status).toBe(404);
    expect(await unknown.text()).toContain("nobody");
    for (const name of ["a", "b"]) stack.removeServiceFile(name);
    await stack.startInstance({
      service: "emitter",
      name: "c",
      version: "1",
      file: { liveness: { http: "/none", expect: { status: [204] } } },
    });
    await eventually(async () => {
      const down = await fetch(await stack.url("/emitter/"), { headers: { accept: "application/json" } });
      expect(down.status).toBe(503);
      expect(down.headers.get("retry-after")).toMatch(/^\d+$/);
      expect(await down.text()).toContain("emitter");
    });
  });

  test("through the one-line Watson, under the path that the instance has", async () => {
    const directory = await stack.directoryAddress();
    await stack.startDirectory();
    await stack.startSherlock();
    const { url } = await stack.startInstance({ service: "unused", name: "one" });
    const watson = stack.start("watson", ["-d", directory, "//emitter", `${url}/base`, "0.2"]);
    await stack.reaches("emitter", ["one"]);
    const answer = (await (await fetch(await stack.url("/emitter/a%2Fb//c?q=1"))).json()) as { url: string };
    expect(answer.url).toBe("/base/a%2Fb//c?q=1");
    watson.kill("SIGTERM");
    await eventually(async () => expect(await instanceAt(await stack.url("/emitter/"))).toMatch(/^(404|503)$/));
  });
});

describe("requests are split as routes say", () => {
  test("by request, per caller, independent of the number of instances, and without a reload", async () => {
    await startAll();
    await stack.startInstance({ service: "emitter", name: "canary", version: "2.0" });
    await stack.lists("emitter", { a: "live", b: "live", canary: "live" });
    const add = await stack.dw("route", "add", "//monolith", "//emitter(2)", "10%");
    expect(add).toMatchObject({ code: 0, stderr: "" });
    await stack.reaches("emitter", ["a", "b", "canary"]);
    await stack.followed();
    const reloads = await stack.metric("sherlock", "datawire_sherlock_reloads_total");
    for (const [percent, share] of [
      ["10%", 0.1],
      ["33.33%", 0.3333],
    ] as const) {
      await stack.addRoute("//monolith", "//emitter(2)", percent);
      await stack.followed();
      const count = 4_000;
      const { byVersion, failures, requests } = await sendRequests(count, {
        url: await stack.url("/emitter/"),
        connections: 8,
      });
      expect(failures).toEqual([]);
      const measured = (byVersion.get("2.0") ?? 0) / requests;
      expect(Math.abs(measured - share)).toBeLessThan(4 * Math.sqrt((share * (1 - share)) / requests));
    }
    expect(await stack.metric("sherlock", "datawire_sherlock_reloads_total")).toBe(reloads);
    expect(await stack.dwJson("route", "list")).toEqual([
      {
        caller: "monolith",
        service: "emitter",
        target: "//emitter(2)",
        percent: 33.33,
        status: "active",
        reading: "caller",
        when: null,
        sticky: null,
        expires: null,
      },
    ]);
    const explanation = await stack.dwJson<{ shares: { target: string; percent: number }[] }>(
      "explain",
      "//monolith",
      "//emitter",
    );
    expect(explanation.shares.map(({ target, percent }) => [target, percent])).toEqual([
      ["//emitter(2)", 33.33],
      ["//emitter", 66.67],
    ]);
    expect(await stack.dw("route", "remove", "//monolith", "//emitter(2)")).toMatchObject({ code: 0 });
    await stack.reaches("emitter", ["a", "b"]);
  });
});

describe("no request is lost", () => {
  test("when instances leave and join, shares change, and each of the four is killed and started again", async () => {
    await stack.startDirectory();
    let sherlock = await stack.startSherlock();
    let watson = await stack.startWatson();
    await stack.startInstance({ service: "emitter", name: "a", version: "1.0" });
    await stack.startInstance({ service: "emitter", name: "b", version: "1.1" });
    await stack.startInstance({ service: "emitter", name: "canary", version: "2.0" });
    await stack.reaches("emitter", ["a", "b"]);
    const load = startLoad({ url: await stack.url("/emitter/"), connections: 8, pauseMs: 12 });

    const leaving = await stack.startInstance({ service: "emitter", name: "c", version: "1.0" });
    await stack.reaches("emitter", ["a", "b", "c"]);
    stack.removeServiceFile("c");
    await stack.reaches("emitter", ["a", "b"]);
    leaving.child.kill("SIGTERM");

    await stack.addRoute("//monolith", "//emitter(2)", "50%");
    await stack.reaches("emitter", ["a", "b", "canary"]);

    sherlock.kill("SIGKILL");
    await sherlock.exited;
    sherlock = await stack.startSherlock();
    await stack.api.ask(endpoints.removeRoute, { body: { source: "//monolith", target: "//emitter(2)" } });
    await stack.reaches("emitter", ["a", "b"]);

    watson.kill("SIGKILL");
    await watson.exited;
    watson = await stack.startWatson();

    const { failures, ok } = await load.stop();
    expect(failures).toEqual([]);
    expect(ok).toBeGreaterThan(100);
  });

  test("when the directory is killed and started again, with its routes and registrations kept", async () => {
    const directory = await stack.startDirectory();
    await stack.startSherlock();
    const watson = await stack.startWatson();
    await stack.startInstance({ service: "emitter", name: "a", version: "1.0" });
    await stack.startInstance({ service: "emitter", name: "canary", version: "2.0" });
    await stack.reaches("emitter", ["a"]);
    await stack.addRoute("//monolith", "//emitter(2)", "50%");
    await stack.reaches("emitter", ["a", "canary"]);
    const load = startLoad({ url: await stack.url("/emitter/"), connections: 8, pauseMs: 12 });
    directory.kill("SIGKILL");
    await directory.exited;
    watson.kill("SIGKILL");
    await watson.exited;
    await stack.startDirectory();
    await stack.reaches("emitter", ["a", "canary"]);
    await stack.startWatson();
    await stack.lists("emitter", { a: "live", canary: "live" });
    const { failures } = await load.stop();
    expect(failures).toEqual([]);
    expect(await stack.read("/v1/routes")).toMatchObject({ routes: [{ target: "//emitter(2)", percent: 50 }] });
  });

  test("but those in flight when HAProxy itself is killed, and it is back at once", async () => {
    await startAll();
    const before = await stack.settledHaproxy();
    killAll(before);
    await stack.reaches("emitter", ["a", "b"]);
    expect(stack.haproxyPids().filter((pid) => before.includes(pid))).toEqual([]);
  });
});

test("an instance that fails its check is sent nothing, and comes back when it passes", async () => {
  await stack.startDirectory();
  await Promise.all([stack.startWatson(), stack.startSherlock()]);
  const a = await stack.startInstance({ service: "emitter", name: "a", version: "1.0" });
  await stack.startInstance({ service: "emitter", name: "b", version: "1.1" });
  await stack.reaches("emitter", ["a", "b"]);
  await stack.followed();
  const reloads = await stack.metric("sherlock", "datawire_sherlock_reloads_total");
  const load = startLoad({ url: await stack.url("/emitter/"), connections: 4, pauseMs: 8 });
  await a.sick(true);
  await stack.reaches("emitter", ["b"]);
  const { services } = await stack.read<{ services: ServiceRow[] }>("/v1/services");
  expect(services[0]?.instances[0]).toMatchObject({
    name: "a",
    state: "down",
    reason: "503 from GET /liveness_check, wanted 200-299",
  });
  await a.sick(false);
  await stack.reaches("emitter", ["a", "b"]);
  a.child.kill("SIGKILL");
  await stack.reaches("emitter", ["b"]);
  const { failures } = await load.stop();
  expect(failures).toEqual([]);
  expect(await stack.metric("sherlock", "datawire_sherlock_reloads_total")).toBe(reloads);
});
