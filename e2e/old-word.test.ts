import { afterEach, beforeEach, expect, test } from "vitest";
import { freePorts } from "@datawire/runtime/testing";
import type { Child } from "./harness/child.ts";
import { startLoad } from "./harness/load.ts";
import { instanceAt, Stack } from "./harness/stack.ts";
import { eventually } from "./harness/wait.ts";

/** Fresh evidence beats an old word: a program at the address of a lost instance is not taken for it. */

let stack: Stack;
beforeEach(async () => {
  stack = new Stack();
});
afterEach(() => stack.dispose());

/** A Watson that serves one service, as it is typed. */
async function watsonOf(service: string, url: string, instance: string): Promise<Child> {
  const args = [`//${service}`, url, "1", "--instance", instance, "--log-format", "json"];
  const child = stack.start("watson", ["-d", await stack.directoryAddress(), ...args]);
  await child.line((line) => /is ready"/.test(line));
  return child;
}

async function killed(child: Child): Promise<void> {
  child.kill("SIGKILL");
  await child.exited;
}

test("another service at the address of a lost instance gets no request that is meant for that", async () => {
  await stack.startDirectory();
  await stack.startSherlock();
  const [port = 0] = await freePorts(1);
  const first = await stack.startInstance({ service: "unused", name: "program-of-a", port });
  const watson = await watsonOf("a", first.url, "a1");
  await stack.reaches("a", ["program-of-a"]);
  await killed(watson);
  await killed(first.child);
  await stack.lists("a", { a1: "lost" });

  const second = await stack.startInstance({ service: "unused", name: "program-of-b", port });
  expect(second.url).toBe(first.url);
  await watsonOf("b", second.url, "b1");
  await stack.reaches("b", ["program-of-b"]);
  const load = startLoad({ url: await stack.url("/a/"), connections: 2, pauseMs: 5 });
  await stack.lists("a", { a1: "down" });
  expect(await instanceAt(await stack.url("/a/"))).toBe("503");
  const { byInstance, failures } = await load.stop();
  expect([...byInstance.keys()]).toEqual([]);
  expect(failures.length).toBeGreaterThan(0);

  const { excluded } = await stack.dwJson<{ excluded: { name: string; reason: string }[] }>("explain", "//x", "//a");
  const why = expect.stringMatching(/^down: its Watson is out of sight, and the one on .* announces \/\/b@b1 at that/);
  expect(excluded).toEqual([{ name: "a1", reason: why as string }]);
  expect((await stack.dw("service", "show", "//a")).stdout).toContain("announces //b@b1 at that address");
});

test("two services at one address are told to an operator while both of their Watsons are there", async () => {
  await stack.startDirectory();
  const { url } = await stack.startInstance({ service: "unused", name: "program" });
  const watson = await watsonOf("a", url, "a1");
  await watsonOf("b", url, "b1");
  await stack.lists("a", { a1: "live" });
  await stack.lists("b", { b1: "live" });
  await eventually(async () => {
    const { stdout } = await stack.dw("status");
    expect(stdout).toMatch(
      /warning: \/\/a@a1: 127\.0\.0\.1:\d+ is announced as \/\/a@a1 by the Watson on .* and \/\/b@b1 by/,
    );
  });
  await killed(watson);
  await stack.lists("a", { a1: "down" });
  await stack.lists("b", { b1: "live" });
});
