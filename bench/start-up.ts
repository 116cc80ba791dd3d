import { ownFolder } from "./harness/no-remains.ts";
import { execFile } from "node:child_process";
import { join } from "node:path";
import { bundleProgram, BUNDLE_MAIN, programs } from "../packaging/bundle.ts";
import { describe } from "./stats.ts";

/**
 * How long the packaged programs take to start and say their version, with what Node itself takes beside them:
 *   node bench/start-up.ts [RUNS]
 */
const runs = Number(process.argv[2] ?? 20);
const folder = ownFolder("dstack-start-up-");
const commands = new Map([["node alone", ["--eval", "0"]]]);
for (const program of programs) {
  await bundleProgram(program, join(folder, program));
  commands.set(`${program} --version`, [join(folder, program, BUNDLE_MAIN), "--version"]);
}
// Refused at once: all of a command but the answer.
const nowhere = ["-d", "//127.0.0.1:1/directory", "route", "list"];
commands.set("dw route list", [join(folder, "dw", BUNDLE_MAIN), ...nowhere]);
const times = new Map([...commands.keys()].map((title): [string, number[]] => [title, []]));
for (let i = 0; i < runs; i++) {
  for (const [title, args] of commands) times.get(title)?.push(await timed(args));
}
for (const [title, values] of times) process.stdout.write(`${describe(title.padEnd(20), values, "ms")}\n`);

function timed(args: readonly string[]): Promise<number> {
  const begin = performance.now();
  const env = { ...process.env, XDG_CACHE_HOME: folder };
  return new Promise((resolve) => execFile(process.execPath, args, { env }, () => resolve(performance.now() - begin)));
}
