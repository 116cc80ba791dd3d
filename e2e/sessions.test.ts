import { join } from "node:path";
import { endpoints } from "@datawire/api";
import { afterEach, beforeEach, expect, test } from "vitest";
import type { Child } from "./harness/child.ts";
import { freePorts } from "@datawire/runtime/testing";
import { scaled } from "./harness/scale.ts";
import { type Instance, Stack } from "./harness/stack.ts";
import { startUsers, type Users } from "./harness/users.ts";
import { eventually } from "./harness/wait.ts";

/** Sessions that live in the memory of one instance: who loses theirs, and when. */

const OLD = ["a", "b", "c"];
let stack: Stack;
let directory: Child;
beforeEach(async () => {
  stack = new Stack();
  directory = await stack.startDirectory();
});
afterEach(() => stack.dispose());

async function startThree(): Promise<readonly Instance[]> {
  const instances = await Promise.all(OLD.map((name) => stack.startInstance({ service: "shop", name })));
  await stack.reaches("shop", OLD);
  return instances;
}

/** Sets a policy and waits until answers have the cookie of it, or none. */
async function balance(policy: string): Promise<void> {
  await stack.api.ask(endpoints.setService, { params: { service: "shop" }, body: { balance: policy } });
  const url = await stack.url("/shop/");
  const cookie = /^cookie:(.*)$/.exec(policy)?.[1];
  await eventually(async () => {
    const set = (await fetch(url)).headers.get("set-cookie");
    expect(set?.split("=")[0]).toBe(cookie);
  });
  await stack.followed();
}

test("users of an application that was behind `cookie … insert` keep their sessions, which a hash of its cookie lost", async () => {
  await Promise.all([stack.startWatson(), stack.startSherlock()]);
  await startThree();
  const url = await stack.url("/shop/session");
  const lostWith = async (policy: string): Promise<number> => {
    await balance(policy);
    const users = startUsers(20, () => [url]);
    for (let i = 0; i < 3; i++) await users.round();
    const { lost, failures } = await users.stop();
    expect(failures).toEqual([]);
    return lost.length;
  };
  // The cookie is made by one server and hashed to another: two of three users begin twice, or more often.
  expect(await lostWith("consistent:cookie:JSESSIONID")).toBeGreaterThan(0);
  expect(await lostWith("cookie:SERVERID")).toBe(0);
  expect(await lostWith("cookie:JSESSIONID")).toBe(0);
});

test("no session is lost but those of what is rolled back or killed, whatever else happens", async () => {
  let sherlock: Child = await stack.startSherlock();
  await stack.startWatson();
  const three = await startThree();
  const canary = await stack.startInstance({ service: "shop", name: "canary", version: "2" });
  await stack.lists("shop", { a: "live", b: "live", c: "live", canary: "live" });
  await balance("cookie:SERVERID");
  const share = async (percent: string): Promise<void> => {
    await stack.addRoute("//monolith", "//shop(2)", percent);
    await stack.followed();
  };
  const urls = [await stack.url("/shop/session")];
  /** Begins so many sessions and says how many of them the canary has. */
  const begin = async (count: number): Promise<{ readonly users: Users; readonly atCanary: number }> => {
    const users = startUsers(count, () => urls);
    await users.round();
    return { users, atCanary: users.at("canary").length };
  };

  // Shares are those of new sessions; what is at the canary stays there while it has any.
  await share("50%");
  await stack.reaches("shop", [...OLD, "canary"]);
  const half = await begin(40);
  await share("10%");
  const count = scaled(400, 100);
  const tenth = await begin(count);
  expect(half.atCanary).toBeGreaterThan(5);
  expect(Math.abs(tenth.atCanary - count * 0.1)).toBeLessThan(4 * Math.sqrt(count * 0.1 * 0.9));
  const homes = [...OLD, "canary"].map((name) => expect.objectContaining({ name }) as object);
  expect(await stack.dwJson("explain", "//monolith", "//shop")).toMatchObject({
    sessions: { cookie: "SERVERID", instances: expect.arrayContaining(homes) as object },
  });
  const everybody = [half.users, tenth.users];
  const visit = (): Promise<unknown> => Promise.all(everybody.map((users) => users.round()));

  // Another Sherlock of the directory knows the same cookies.
  const [port, admin] = (await freePorts(2)) as [number, number];
  const where = ["--listen", `127.0.0.1:${port}`, "--admin", `127.0.0.1:${admin}`];
  const own = ["-d", await stack.directoryAddress(), "--name", "monolith", "--run-dir", join(stack.folder, "second")];
  const second = stack.start("sherlock", [...own, ...where]);
  await eventually(async () => expect((await fetch(`http://127.0.0.1:${port}/shop/`)).status).toBe(200));
  urls.push(`http://127.0.0.1:${port}/shop/session`);
  await visit();
  urls.pop();
  await visit();
  second.kill("SIGTERM");

  // A reload, and starts of everything that holds no session.
  stack.writeServiceFile("new", { service: "//new", version: "1", url: canary.url, instance: "new" });
  await stack.reaches("new", ["canary"]);
  for (const signal of ["SIGKILL", "SIGUSR1"] as const) {
    sherlock.kill(signal);
    await sherlock.exited;
    sherlock = await stack.startSherlock();
    await visit();
  }
  directory.kill("SIGKILL");
  await directory.exited;
  directory = await stack.startDirectory();
  await stack.lists("shop", { a: "live", b: "live", c: "live", canary: "live" });
  await visit();

  // One drains for as long as an operator wants: its users stay, and nobody new comes.
  const [first] = everybody as [Users];
  const drained = first.at("a");
  await stack.api.ask(endpoints.drainInstance, { body: { instance: "//shop@a" } });
  await stack.followed();
  await stack.reaches("shop", ["b", "c", "canary"]);
  await visit();
  expect(first.at("a")).toEqual(drained);
  await stack.api.ask(endpoints.resumeInstance, { body: { instance: "//shop@a" } });
  await stack.reaches("shop", [...OLD, "canary"]);

  // An instance is moved into a group of its own and back, which takes a reload.
  await stack.addRoute("//monolith", "//shop@b", "30%");
  await visit();
  await stack.reaches("shop", [...OLD, "canary"]);
  await stack.api.ask(endpoints.removeRoute, { body: { source: "//monolith", target: "//shop@b" } });
  await visit();
  for (const users of everybody) expect(users.lost()).toEqual([]);

  // Only now sessions are lost: those of the canary with its share, and those of what is killed.
  const rolledBack = everybody.map((users) => users.at("canary"));
  await share("0%");
  await eventually(() => expect(everybody.map((users) => users.at("canary"))).toEqual([[], []]));
  await visit();
  const killed = everybody.map((users) => users.at("c"));
  three.find(({ name }) => name === "c")?.child.kill("SIGKILL");
  await stack.reaches("shop", ["a", "b"]);
  await visit();
  const reports = await Promise.all(everybody.map((users) => users.stop()));
  reports.forEach(({ visits, lost, failures }, i) => {
    const of = (had: string): number[] => lost.filter((one) => one.had === had).map(({ user }) => user);
    process.stdout.write(
      `${visits} visits; lost with the canary's share ${of("canary").length}, with c ${of("c").length}\n`,
    );
    expect(failures).toEqual([]);
    expect([of("canary"), of("c")].map((users) => users.toSorted((x, y) => x - y))).toEqual([rolledBack[i], killed[i]]);
    expect(lost.length).toBe((rolledBack[i]?.length ?? 0) + (killed[i]?.length ?? 0));
  });
});
