import { execFileSync } from "node:child_process";
import { lstatSync, mkdirSync, readdirSync, rmdirSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import type { Child } from "./harness/child.ts";
import { removeFolder } from "./harness/remove-folder.ts";
import { scaled } from "./harness/scale.ts";
import { instanceAt, Stack } from "./harness/stack.ts";
import { eventually } from "./harness/wait.ts";

let stack: Stack;
beforeEach(() => {
  stack = new Stack();
});
afterEach(() => stack.dispose());

const start = async (): Promise<Record<"directory" | "watson" | "sherlock", Child>> => ({
  directory: await stack.startDirectory(),
  watson: await stack.startWatson({ data_dir: join(stack.folder, "watson") }),
  sherlock: await stack.startSherlock(),
});

/** What programs have written for their next start, but for the store, which is refused as a whole when it is damaged. */
function written(): string[] {
  return ["watson", "directory", "run"].flatMap((folder) =>
    readdirSync(join(stack.folder, folder), { recursive: true, withFileTypes: true })
      .filter((entry) => !entry.isDirectory() && !/^directory\.db(?:-wal|-shm)?$|\.sock$/.test(entry.name))
      .map((entry) => join(entry.parentPath, entry.name))
      .toSorted(),
  );
}

const DAMAGES: readonly ((path: string) => void)[] = [
  (path) => writeFileSync(path, ""),
  (path) => writeFileSync(path, Buffer.from(Array.from({ length: 5_000 }, (_, i) => (i * 31) % 256))),
  (path) => writeFileSync(path, '{"constructor":[{"__proto__":1}],"keys":7,"id":[],"format":1,"table":'),
  (path) => writeFileSync(path, '{"constructor":[{"__proto__":1}],"keys":7,"id":[]}\n'),
  (path) => mkdirSync(path),
  (path) => execFileSync("mkfifo", [path]),
  (path) => symlinkSync(path, path),
];
/** In so many rounds each file is damaged in so many ways, its neighbours in others. */
const ROUNDS = scaled(DAMAGES.length, 2);

test("programs whose files of before are empty, garbage, half, folders, pipes or links start, say so, and serve", async () => {
  await stack.startInstance({ service: "good", name: "one" });
  let running = await start();
  await stack.reaches("good", ["one"]);
  for (let round = 0; round < ROUNDS; round++) {
    // The last table, the addresses, the keys of sessions and what HAProxy was given are written by then.
    await eventually(() => {
      const names = written().map((path) => basename(path));
      expect(names).toEqual(expect.arrayContaining(["table.json", "watson.json", "loaded.json", "haproxy.cfg"]));
    });
    for (const child of Object.values(running)) child.kill("SIGTERM");
    await Promise.all(Object.values(running).map(({ exited }) => exited));
    const files = written();
    for (const [i, path] of files.entries()) {
      rmSync(path, { recursive: true });
      DAMAGES[(i + round * 3) % DAMAGES.length]?.(path);
    }
    running = await start();
    await stack.reaches("good", ["one"]);
    const text = Object.values(running)
      .flatMap(({ lines }) => lines)
      .join("\n");
    expect(text).not.toMatch(/^\s+at .*:\d+:\d+/m);
    for (const name of ["table.json", "watson.json"])
      expect(text).toMatch(new RegExp(`"level":"warn".*${name}.*"reason"`));
    expect(await instanceAt(await stack.url("/good/"))).toBe("one");
    // Nobody but an operator takes a folder away; what could not be written for it is written then.
    for (const path of files) if (lstatSync(path, { throwIfNoEntry: false })?.isDirectory() === true) rmdirSync(path);
  }
});

test("a Sherlock whose run folder is removed makes another one, says so, and goes on with what is new", async () => {
  await stack.startInstance({ service: "good", name: "one" });
  await start();
  await stack.reaches("good", ["one"]);
  removeFolder(join(stack.folder, "run"));
  await stack.startInstance({ service: "good", name: "two" });
  await stack.reaches("good", ["one", "two"]);
  await eventually(async () => {
    expect((await stack.dw("status")).stdout).toContain(
      `${join(stack.folder, "run")}: was removed while it was in use`,
    );
  });
  expect(readdirSync(join(stack.folder, "run"))).toEqual(expect.arrayContaining(["haproxy.cfg", "sherlock.pid"]));
});
