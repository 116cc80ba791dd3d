import { spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { asRoot } from "./harness/as-root.ts";
import { type Child, watchChild } from "./harness/child.ts";
import { matches } from "./harness/docs/match.ts";

const ROOT = join(import.meta.dirname, "..");

/**
 * What `npm run demo` runs once it has set the checkout up; without a terminal it does not stay up. It takes ten seconds
 * on a quiet machine, and what it waits for has bounds of its own. It has a network of its own, on which the usual ports are
 * free, and stay so until its programs take them.
 */
function startDemo(...args: readonly string[]): Child {
  return startAlone('exec "$0" "$@"', args);
}

/** @param script what a shell does with the demo, which is "$0" and "$@"; no process outlives it. */
function startAlone(script: string, args: readonly string[] = []): Child {
  const NODE_COMPILE_CACHE = join(ROOT, ".cache/compiled"); // as scripts/run.sh says
  const env = { PATH: `${process.env["PATH"]}:/usr/sbin:/sbin`, HOME: tmpdir(), NODE_COMPILE_CACHE };
  const set = Object.entries(env).map(([name, value]) => `${name}=${value}`);
  const inside = ["sh", "-c", `ip link set lo up && ${script}`, process.execPath, join(ROOT, "examples/demo.ts")];
  const alone = ["unshare", "--net", "--pid", "--fork", "--kill-child", "--mount-proc"];
  const [program, ...rest] = asRoot([...alone, "env", ...set, ...inside, ...args]);
  return watchChild(spawn(program, rest, { env, stdio: ["ignore", "pipe", "pipe"] }), "examples/demo.ts");
}

test("the demo shows what it promises, and what README.md shows of it", async () => {
  const demo = startDemo();
  const exit = await demo.exited;
  const said = demo.lines.join("\n");
  expect({ ...exit, said }).toMatchObject({ code: 0, said: expect.stringContaining("version 2 got") });
  const [, shown = "nothing"] = /npm run demo\n```[^`]*```text\n([^`]*)```/.exec(readme()) ?? [];
  expect(said).toSatisfy(() => matches(`…\n${shown.trim()}\n…`, said), `it prints what README.md shows:\n${shown}`);
});

test("the demo of rollouts takes the version back that fails, and promotes the other one", async () => {
  const demo = startDemo("rollout");
  const exit = await demo.exited;
  const said = demo.lines.join("\n");
  expect({ ...exit, said }).toMatchObject({ code: 0, said: expect.stringContaining("//emitter(2) promoted") });
  expect(said).toContain("//emitter(3) rolled-back: error-rate <= primary + 1% failed");
});

test("the demo of messages receives each once, though the router and a stage are killed", async () => {
  const demo = startDemo("messaging");
  const exit = await demo.exited;
  const said = demo.lines.join("\n");
  expect({ ...exit, said }).toMatchObject({ code: 0, said: expect.stringContaining("5000 received, 0 doubled") });
  expect(said).toContain("\nhello, world");
});

test("the demo of Bookshelf counts as many books as answers of 201, rolls a view out, and shows a trace", async () => {
  const demo = startDemo("bookshelf");
  const exit = await demo.exited;
  const said = demo.lines.join("\n");
  expect({ ...exit, said }).toMatchObject({
    code: 0,
    said: expect.stringMatching(/\n(\d+) answers of 201, \1 books/),
  });
  expect(said).toContain("//booklist(2) promoted");
  expect(said).toMatch(/\n {4}topic\/bookshelf process +lastreadbooks +lastreadbooks /);
});

test("a demo that nobody reads on ends what it has started", async () => {
  const demo = startAlone('{ "$0" "$@" | head -n 2; }; pgrep -a "node|haproxy"; echo "all that is left"');
  await demo.exited;
  expect(demo.lines.join("\n")).toMatch(/^\n# A machine with a directory[^\n]*\nall that is left$/);
});

test("a demo that there is not is told what there is", async () => {
  const demo = startDemo("nothing");
  expect((await demo.exited).code).toBe(64);
  expect(demo.lines).toEqual(['Cannot show "nothing": wanted nothing, or one of rollout, messaging, bookshelf']);
});

const readme = (): string => readFileSync(join(ROOT, "README.md"), "utf8");
