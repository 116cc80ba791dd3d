import fc from "@datawire/protocol/testing/random";
import { afterEach, beforeEach, expect, test } from "vitest";
import { scaled } from "./harness/scale.ts";
import { Stack } from "./harness/stack.ts";
import { startUsers } from "./harness/users.ts";
import { eventually } from "./harness/wait.ts";

/** Sessions through changes that are drawn by chance, none of which takes a target's last share away. */

let stack: Stack;
beforeEach(async () => {
  stack = new Stack();
  await stack.startDirectory();
  await Promise.all([stack.startWatson(), stack.startSherlock()]);
});
afterEach(() => stack.dispose());

const percent = fc.integer({ min: 1, max: 30 }).map((number) => `${number}%`);
const CANARY = ["//monolith", "//shop(2)"] as const;

/** Commands that change shares by command, groups and keys by a reload, and who takes new sessions. */
const change = fc.oneof(
  percent.map((share) => ["route", "add", ...CANARY, share]),
  percent.map((share) => ["route", "add", "//monolith", "//shop@a", share]),
  fc.constant(["route", "remove", "//monolith", "//shop@a"]),
  fc
    .tuple(percent, fc.constantFrom("header:X-User", "cookie:user"))
    .map(([share, key]) => ["route", "add", ...CANARY, share, "--sticky", key]),
  percent.map((share) => ["route", "add", ...CANARY, share, "--no-sticky"]),
  percent.map((share) => ["route", "add", ...CANARY, share, "--when", "header:X-Beta=1"]),
  fc.constantFrom("drain", "resume").map((verb) => ["instance", verb, "//shop@b"]),
  fc.integer({ min: 5, max: 60 }).map((seconds) => ["service", "set", "//shop", "--timeout", `${seconds}s`]),
);

test("changes of shares, groups, keys and settings, drawn by chance, lose no session", async () => {
  const names = ["a", "b", "c"];
  await Promise.all([
    ...names.map((name) => stack.startInstance({ service: "shop", name })),
    stack.startInstance({ service: "shop", name: "canary", version: "2" }),
  ]);
  await stack.lists("shop", { a: "live", b: "live", c: "live", canary: "live" });
  await stack.dw("service", "set", "//shop", "--balance", "cookie:SERVERID");
  await stack.dw("route", "add", ...CANARY, "30%");
  const url = await stack.url("/shop/session");
  await eventually(async () => expect((await fetch(url)).headers.get("set-cookie")).toContain("SERVERID="));
  await stack.reaches("shop", [...names, "canary"]);
  await stack.followed();
  const users = startUsers(40, () => [url]);
  await users.round();
  const commands = fc.sample(change, { numRuns: scaled(150, 15) });
  for (const words of commands) {
    const { code, stderr } = await stack.dw(...words);
    // A route may not be there to be removed; nothing else is refused.
    if (code !== 0) expect([words.slice(0, 2), stderr]).toEqual([["route", "remove"], expect.stringContaining("no")]);
    await users.round();
    expect({ words, lost: users.lost() }).toEqual({ words, lost: [] });
  }
  const { visits, failures } = await users.stop();
  process.stdout.write(`${visits} visits through ${commands.length} changes\n`);
  expect(failures).toEqual([]);
});
