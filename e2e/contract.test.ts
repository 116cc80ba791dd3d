import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { endpoints } from "@datawire/api";
import { afterEach, beforeEach, expect, test } from "vitest";
import { haproxyFeatures } from "./harness/haproxy.ts";
import { instanceAt, Stack } from "./harness/stack.ts";
import { eventually } from "./harness/wait.ts";

let stack: Stack;
beforeEach(() => {
  stack = new Stack();
});
afterEach(() => stack.dispose());

/** Which instance answers each of some users. */
async function instancesOf(path: string, users: readonly string[]): Promise<string[]> {
  const url = await stack.url(path);
  return Promise.all(users.map((user) => instanceAt(url, { "x-user": user })));
}

test("the balance policies and zones do what they say, and explain says the same", async () => {
  await stack.startDirectory();
  await Promise.all([stack.startWatson(), stack.startSherlock([], { zone: "near" })]);
  const { hostFromName } = await haproxyFeatures();
  const names = ["a", "b", "c"];
  await Promise.all([
    ...names.map((name) => stack.startInstance({ service: "emitter", name })),
    stack.startInstance({ service: "zoned", name: "here", file: { zone: "near" } }),
    stack.startInstance({ service: "zoned", name: "there", file: { zone: "far" } }),
  ]);
  await stack.reaches("emitter", names);

  const users = Array.from({ length: 30 }, (_, i) => `user-${i}`);
  expect(await stack.dw("service", "set", "//emitter", "--balance", "consistent:header:X-User")).toMatchObject({
    code: 0,
  });
  await eventually(async () => {
    const first = await instancesOf("/emitter/", users);
    expect([...new Set(first)].toSorted()).toEqual(names);
    if (hostFromName) expect(await instancesOf("/emitter/", users)).toEqual(first);
  });
  await stack.api.ask(endpoints.setService, { params: { service: "emitter" }, body: { balance: "ordered" } });
  await eventually(async () => expect(new Set(await instancesOf("/emitter/", users)).size).toBe(1));
  const [only] = await instancesOf("/emitter/", ["anyone"]);
  const { shares } = await stack.dwJson<{ shares: object[] }>("explain", "//monolith", "//emitter");
  expect(shares).toMatchObject([{ instances: [{ name: only, percent: 100 }] }]);

  await stack.lists("zoned", { here: "live", there: "live" });
  await stack.followed();
  await stack.reaches("zoned", ["here"]);
  expect(await stack.dwJson("explain", "//monolith", "//zoned")).toMatchObject({
    shares: [{ target: "//zoned", percent: 100, instances: [{ name: "here", percent: 100 }] }],
    excluded: [{ name: "there" }],
  });
});

test("SIGHUP turns the access log on without a restart, and refuses settings that are wrong", async () => {
  await stack.startDirectory();
  const sherlock = await stack.startSherlock();
  await Promise.all([stack.startWatson(), stack.startInstance({ service: "emitter", name: "a" })]);
  await stack.reaches("emitter", ["a"]);
  const reload = async (settings: Record<string, unknown>, line: RegExp): Promise<void> => {
    stack.writeSherlockSettings(settings);
    const said = sherlock.lines.length;
    sherlock.kill("SIGHUP");
    await eventually(() => expect(sherlock.lines.slice(said).join("\n")).toMatch(line));
  };
  await reload({ acess_log: "json" }, /acess_log is not a known key: did you mean access_log\?/);
  await reload({ access_log: "json" }, /HAProxy reloaded/);
  const log = join(stack.folder, "run/access.log");
  await eventually(async () => {
    await stack.reaches("emitter", ["a"]);
    expect(existsSync(log) && JSON.parse(readFileSync(log, "utf8").split("\n", 1)[0] ?? "")).toMatchObject({
      service: "emitter",
      status: 200,
    });
  });
});

const text = expect.any(String) as string;
const count = expect.any(Number) as number;
const textOrNull = expect.toSatisfy((value) => value === null || typeof value === "string") as string | null;
const moment = expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z$/) as string;
const has = (fields: object): unknown => expect.objectContaining<object>(fields);

test("the JSON of dw and of HTTP has the fields that scripts rely on, of the types that they are", async () => {
  await stack.startDirectory();
  await Promise.all([stack.startWatson(), stack.startSherlock()]);
  await stack.startInstance({ service: "emitter", name: "a", version: "1.0", file: { zone: "near" } });
  await stack.reaches("emitter", ["a"]);
  await stack.startInstance({ service: "emitter", name: "b", version: "2.0" });
  await stack.startInstance({ service: "old", name: "c", version: "1" });
  await stack.lists("emitter", { a: "live", b: "live" });
  await stack.lists("old", { c: "live" });
  const change = async (...args: readonly string[]) => expect(await stack.dw(...args)).toMatchObject({ code: 0 });
  await change("service", "add", "//nothing");
  await change("route", "add", "//monolith", "//emitter(2)", "12.5%", "--when", "header:X-Canary=1", "--for", "2h");
  await change("route", "add", "//monolith", "//emitter(3)", "1%", "--ahead", "--sticky", "header:X-User");
  await change("route", "add", "//old", "//emitter", "30%", "--service");

  const instance = {
    name: text,
    version: textOrNull,
    url: text,
    state: expect.stringMatching(/^(live|down|draining|lost)$/) as string,
    role: expect.stringMatching(/^(primary|held|routed)$/) as string,
    reason: textOrNull,
    zone: textOrNull,
    since: moment,
  };
  const services = [
    has({
      service: "emitter",
      protocol: "http",
      primary: "1",
      status: "live",
      instances: [
        has({ ...instance, name: "a", version: "1.0", role: "primary", zone: "near" }),
        has({ ...instance, name: "b", version: "2.0", role: "routed", zone: null }),
      ],
    }),
    has({ service: "nothing", protocol: "http", primary: null, status: "down", instances: [] }),
    has({ service: "old", protocol: "http", primary: "1", status: "live", instances: [has(instance)] }),
  ];
  expect(await stack.dwJson("service", "list")).toEqual(services);
  expect(await stack.read("/v1/services")).toEqual(has({ epoch: text, revision: count, services }));

  const stored = { caller: "monolith", service: "emitter", status: "active", reading: "caller" };
  const routes = [
    has({
      ...stored,
      target: "//emitter(2)",
      percent: 12.5,
      when: "header:X-Canary=1",
      sticky: "header:X-User",
      expires: moment,
    }),
    has({
      ...stored,
      target: "//emitter(3)",
      percent: 1,
      status: "waiting",
      when: null,
      sticky: "header:X-User",
      expires: null,
    }),
    has({
      caller: "*",
      service: "old",
      target: "//emitter",
      percent: 30,
      status: "active",
      reading: "service",
      when: null,
      sticky: null,
      expires: null,
    }),
  ];
  const inAnyOrder = expect.arrayContaining(routes) as unknown;
  expect(await stack.dwJson("route", "list")).toEqual(inAnyOrder);
  expect(await stack.read("/v1/routes")).toEqual(has({ epoch: text, revision: count, routes: inAnyOrder }));

  const share = { target: text, percent: count, reason: text };
  expect(await stack.dwJson("explain", "//monolith", "//emitter")).toEqual(
    has({
      caller: "monolith",
      service: "emitter",
      shares: [
        has({
          ...share,
          target: "//emitter(2)",
          percent: 12.5,
          instances: [has({ name: "b", url: text, percent: 12.5 })],
        }),
        has({
          ...share,
          target: "//emitter",
          percent: 87.5,
          instances: [has({ name: "a", url: text, percent: 87.5 })],
        }),
      ],
      excluded: [],
    }),
  );
  expect(await stack.dwJson("explain", "//*", "//emitter")).toEqual(
    has({ caller: "*", service: "emitter", excluded: [has({ name: "b", reason: text })] }),
  );
  expect(await stack.dwJson("explain", "//monolith", "//nothing")).toEqual(
    has({ caller: "monolith", service: "nothing", shares: [], excluded: [] }),
  );
  expect(await stack.dwJson("caller", "list")).toEqual([
    has({ name: "monolith", kind: "sherlock", version: text, revision: count, since: moment }),
  ]);
});
