import { execFile, spawn } from "node:child_process";
import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, expect, test } from "vitest";
import { buildPackages } from "../packaging/build-packages.ts";
import { type Child, watchChild } from "./harness/child.ts";
import { freePorts } from "./harness/ports.ts";

const run = promisify(execFile);
const folder = mkdtempSync(join(tmpdir(), "dstack-npm-"));
const prefix = join(folder, "prefix");
/** The machine's own Node and npm, as a user has them: not those of this checkout. */
const PATH = (process.env["PATH"] ?? "")
  .split(delimiter)
  .filter((path) => !path.includes("node_modules"))
  .join(delimiter);
const env = { ...process.env, PATH: [join(prefix, "bin"), PATH].join(delimiter), HOME: folder };
/** Fetches Node where npm has not got it in its cache. */
const INSTALL_MS_MAX = 120_000;
const started: Child[] = [];

beforeAll(async () => {
  const [tarball = ""] = (await buildPackages({ out: folder, formats: ["npm"] })).files;
  const { HOME } = process.env; // npm's own settings and cache
  const args = ["install", "--global", "--prefix", prefix, "--prefer-offline", "--no-audit", "--no-fund", tarball];
  await run("npm", args, { env: { ...env, HOME } });
}, INSTALL_MS_MAX);
afterAll(async () => {
  for (const child of started) child.kill("SIGTERM");
  await Promise.all(started.map((child) => child.exited));
  rmSync(folder, { recursive: true, force: true });
});

test.each(["dw", "directory", "watson", "sherlock", "router"])(
  "%s of the npm package says its version",
  async (program) => {
    expect((await run(program, ["--version"], { env })).stdout).toMatch(/^\d+\.\d+\.\d+/);
  },
);

test("npm puts the manual pages where man finds them", () => {
  const pages = readdirSync(join(prefix, "share/man"), { recursive: true }) as string[];
  expect(pages).toEqual(expect.arrayContaining(["man1/dw.1", "man5/datawire.d.5", "man8/sherlock.8"]));
});

test("a program of the npm package runs on the Node that came with it, whatever the machine has", async () => {
  const directory = await startDirectory();
  const { stdout } = await run("readlink", [`/proc/${directory.child.pid}/exe`]);
  expect(stdout).toContain(join(prefix, "lib/node_modules/dstack/node_modules/node-linux-"));
  const { stdout: services } = await run("dw", ["-d", directory.address, "service", "list", "--json"], { env });
  expect(JSON.parse(services)).toEqual([]);
  // The launcher is not in between: a signal reaches the daemon itself.
  directory.child.kill("SIGTERM");
  expect(await directory.child.exited).toEqual({ code: 0, signal: null });
});

async function startDirectory(): Promise<{ readonly child: Child; readonly address: string }> {
  const [port] = await freePorts(1);
  const args = ["-p", String(port), "--data-dir", join(folder, "data"), "--log-format", "json"];
  const child = watchChild(spawn("directory", args, { env }), "directory");
  started.push(child);
  await child.line((line) => line.includes('is ready"'));
  return { child, address: `//localhost:${port}/directory` };
}
