import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { Stack } from "./harness/stack.ts";
import { eventually } from "./harness/wait.ts";

/** What one program knows, and its log says, an operator reads in `dw status`, and no more once it is mended. */

interface Problem {
  readonly severity: string;
  readonly subject: string;
  readonly message: string;
  readonly remedy: string | null;
}

let stack: Stack;
beforeEach(async () => {
  stack = new Stack();
  await stack.startDirectory();
});
afterEach(() => stack.dispose());

const problems = async (): Promise<readonly Problem[]> =>
  (await stack.read<{ problems: readonly Problem[] }>("/v1/status")).problems;

/** Waits until there is a problem like this one. */
async function told(subject: RegExp, message: RegExp): Promise<Problem> {
  return eventually(async () => {
    const all = await problems();
    const found = all.find((one) => subject.test(one.subject) && message.test(one.message));
    if (found === undefined) throw new Error(`wanted ${subject} ${message}, found ${JSON.stringify(all)}`);
    expect(found.remedy).toBeTruthy();
    return found;
  });
}

async function mended(subject: RegExp): Promise<void> {
  await eventually(async () => expect((await problems()).filter((one) => subject.test(one.subject))).toEqual([]));
}

test("an instance that the directory refuses, as another Watson holds its name", async () => {
  const watson = async (url: string, folder: string) => {
    const args = ["//foo", url, "1", "--instance", "one", "--data-dir", join(stack.folder, folder)];
    const child = stack.start("watson", ["-d", await stack.directoryAddress(), ...args, "--log-format", "json"]);
    await child.line((line) => /is ready"/.test(line));
    return child;
  };
  const a = await stack.startInstance({ service: "unused", name: "a" });
  const b = await stack.startInstance({ service: "unused", name: "b" });
  const first = await watson(a.url, "one");
  await stack.lists("foo", { one: "live" });
  await watson(b.url, "two");
  const { severity } = await told(/^watson .*: \/\/foo@one$/, /holds an instance of that name and is connected/);
  expect(severity).toBe("error");
  const { stdout } = await stack.dw("status");
  expect(stdout).toMatch(/^error: watson .*: \/\/foo@one: .*holds an instance of that name/);
  first.kill("SIGTERM");
  await first.exited;
  await mended(/foo@one/);
});

test("settings that a program could not reread, until they are correct", async () => {
  const watson = await stack.startWatson();
  const sherlock = await stack.startSherlock();
  await eventually(async () => expect(await problems()).toEqual([]));
  for (const [kind, child] of [["watson", watson] as const, ["sherlock", sherlock] as const]) {
    const file = join(stack.folder, `${kind}.yaml`);
    const good = readFileSync(file, "utf8");
    writeFileSync(file, `${good}\nnonsense: 1\n`);
    child.kill("SIGHUP");
    await told(new RegExp(`^${kind} .*: settings$`), /not reloaded: .*nonsense/);
    writeFileSync(file, good);
    child.kill("SIGHUP");
    await mended(/settings$/);
  }
});

test("an HAProxy that was killed and started again, and a directory that a Watson does not reach", async () => {
  await stack.startSherlock();
  const [master] = stack.haproxyPids();
  process.kill(master as number, "SIGKILL");
  const { severity } = await told(/^sherlock monolith: HAProxy$/, /ended, and was started again/);
  expect(severity).toBe("error");
  await stack.startWatson({ directories: [await stack.directoryAddress(), "//localhost:1/directory"] });
  await told(/^watson .*: \/\/localhost:1\/directory$/, /cannot be reached/);
});
