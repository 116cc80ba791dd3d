import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, globSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { expect, test } from "vitest";
import { eventually } from "@datawire/runtime/testing";

const root = join(import.meta.dirname, "..");
const MECHANISM = join(root, "bench/harness/no-remains.ts");

test("every bench ends what it has started", () => {
  const benches = globSync("bench/{,peers/}*.ts", { cwd: root }).filter((file) => isBench(read(file)));
  expect(benches.length).toBeGreaterThan(25);
  expect(benches.filter((file) => !read(file).includes("harness/no-remains.ts"))).toEqual([]);
});

test("every bench that starts other programs says first which of them are missing", () => {
  const benches = globSync("bench/*.ts", { cwd: root }).filter((file) => isBench(read(file)));
  const others = benches.filter((file) => /startNginx\(|cpuPerRequest\(/.test(read(file)));
  expect(others.length).toBeGreaterThan(3);
  expect(others.filter((file) => !/needPrograms\(|programPath\(/.test(read(file)))).toEqual([]);
});

/** Starts a program that starts another one, tells both, and goes on writing. */
const BENCH = `
const { ownFolder } = await import(${JSON.stringify(MECHANISM)});
console.log(ownFolder("bench-test-"));
const { spawn } = await import("node:child_process");
spawn("sh", ["-c", "sleep 1000 & echo $$ $!; wait"], { stdio: "inherit" });
setInterval(() => process.stdout.write("one more line\\n"), 20);
`;

test.each([
  ["nobody reads on", "close"],
  ["it is stopped", "SIGTERM"],
  ["its terminal is closed", "SIGHUP"],
] as const)("a bench leaves no process and no folder where %s", async (_what, how) => {
  const bench = spawn(process.execPath, ["--input-type=module", "--eval", BENCH], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  const ended = once(bench, "exit");
  let folder = "";
  let started: readonly number[] = [];
  for await (const line of createInterface(bench.stdout)) {
    if (folder === "") folder = line;
    if (!/^\d+ \d+$/.test(line)) continue;
    started = line.split(" ").map(Number);
    break;
  }
  expect([existsSync(folder), started.filter(isRunning).length]).toEqual([true, 2]);
  if (how === "close") bench.stdout.destroy();
  else bench.kill(how);
  await ended;
  await eventually(() => expect(started.filter(isRunning)).toEqual([]));
  expect(existsSync(folder)).toBe(false);
});

const read = (file: string): string => readFileSync(join(root, file), "utf8");
/** What says how it is started. */
const isBench = (text: string): boolean => /^ \*\s+(?:.* )?node (?:--[\w-]+ )*bench\//m.test(text);

/** A process that has ended is there until its parent has heard of it. */
function isRunning(pid: number): boolean {
  const file = `/proc/${pid}/stat`;
  return existsSync(file) && !/\) [ZX] /.test(readFileSync(file, "utf8"));
}
