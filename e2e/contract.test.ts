import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
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
  await stack.dw("service", "set", "//emitter", "--balance", "ordered");
  await eventually(async () => expect(new Set(await instancesOf("/emitter/", users)).size).toBe(1));
  const [only] = await instancesOf("/emitter/", ["anyone"]);
  const { shares } = await stack.dwJson<{ shares: object[] }>("explain", "//monolith", "//emitter");
  expect(shares).toMatchObject([{ instances: [{ name: only, percent: 100 }] }]);

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
