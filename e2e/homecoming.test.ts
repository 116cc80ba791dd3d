import { rmSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import type { Child } from "./harness/child.ts";
import { startLoad } from "./harness/load.ts";
import { scaled } from "./harness/scale.ts";
import { Stack } from "./harness/stack.ts";
import { eventually } from "./harness/wait.ts";

/**
 * In seconds. With a lease as short as this, everybody has to be back sooner than people would notice; shorter than a
 * process gets no turn on a busy machine it may be where one run of many tells nothing.
 */
const LEASE = scaled(2, 5);
const ROUNDS = scaled(40, 1);

let stack: Stack;
beforeEach(() => {
  stack = new Stack();
});
afterEach(() => stack.dispose());

test.each([
  ["on the store that it had", false],
  ["on an empty folder", true],
])(`callers get no 404 when the directory is killed just after a registration and starts %s`, async (_, emptied) => {
  let directory = await stack.startDirectory([], { lease: `${LEASE}s` });
  await stack.startWatson();
  await stack.startSherlock();
  await stack.startInstance({ service: "old", name: "old" });
  await stack.reaches("old", ["old"]);
  for (let round = 0; round < ROUNDS; round++) {
    const name = `new-${round}`;
    const { child } = await stack.startInstance({ service: name, name });
    await stack.reaches(name, [name]);
    const loads = await Promise.all(
      ["old", name].map(async (service) =>
        startLoad({ url: await stack.url(`/${service}/`), connections: 2, pauseMs: 5 }),
      ),
    );
    directory = await restarted(directory, { emptied });
    await warm();
    for (const load of loads) expect((await load.stop()).failures).toEqual([]);
    stack.removeServiceFile(name);
    child.kill("SIGTERM");
    await stack.lists(name, {});
  }
});

async function restarted(directory: Child, { emptied }: { readonly emptied: boolean }): Promise<Child> {
  directory.kill("SIGKILL");
  await directory.exited;
  if (emptied) rmSync(join(stack.folder, "directory"), { recursive: true });
  return stack.startDirectory([], { lease: `${LEASE}s` });
}

/** Resolves when the directory takes its table for whole, and Sherlock has given up what it kept beyond that. */
async function warm(): Promise<void> {
  await eventually(async () => {
    const { directory, sherlocks } = await stack.read<{
      directory: { state: string };
      sherlocks: { lag: number }[];
    }>("/v1/status");
    expect(directory.state).toBe("ready");
    expect(sherlocks).toMatchObject([{ lag: 0 }]);
  });
}
