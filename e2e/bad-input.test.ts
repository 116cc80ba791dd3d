import { createServer } from "node:http";
import { once } from "node:events";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { Stack } from "./harness/stack.ts";

let stack: Stack;
beforeEach(() => {
  stack = new Stack();
});
afterEach(() => stack.dispose());

/** Runs a program to its end and gives its exit code and what it printed, which never holds a stack trace. */
async function run(
  name: "directory" | "watson" | "sherlock" | "dw",
  args: readonly string[],
  env: NodeJS.ProcessEnv = {},
) {
  const child = stack.start(name, args, env);
  const { code } = await child.exited;
  const output = child.lines.join("\n");
  expect(output).not.toMatch(/^\s+at .*:\d+:\d+/m);
  return { code, output };
}

test.each([
  ["dw", [], 64, /Usage: dw/],
  ["dw", ["rout", "list"], 64, /unknown command 'rout'[\s\S]*route/i],
  [
    "dw",
    ["route", "add", "monolith", "//barker(2)", "10%"],
    64,
    /"monolith": an address begins with \/\/, as in \/\/monolith/,
  ],
  ["dw", ["route", "add", "//monolith", "//barker(2", "10%"], 64, /quote the address/],
  ["dw", ["route", "add", "//monolith", "//barker(2)", "110%"], 64, /"110%" as a percentage: it is more than 100%/],
  ["dw", ["-d", "//localhost:1/directory", "route", "list"], 69, /localhost:1/],
  ["dw", ["-d", "services", "route", "list"], 64, /"services": wanted \/\/HOST/],
  ["watson", ["--frobnicate"], 64, /unknown option '--frobnicate'/],
  ["watson", ["-d", "//localhost", "//emitter", "ftp://x", "3"], 64, /"ftp:\/\/x"/],
  [
    "watson",
    ["-d", "//localhost", "//emitter", "http://127.0.0.1:1", "3 parsecs"],
    64,
    /PERIOD is "3 parsecs": wanted a duration/,
  ],
  ["directory", ["-p", "99999"], 64, /99999/],
] as const)("%s %j ends with %i and one clear message", async (name, args, code, message) => {
  const result = await run(name, args);
  expect(result.output).toMatch(message);
  expect(result.code).toBe(code);
});

test("every problem of a settings file is told with its place, and the daemon ends with 78", async () => {
  const file = join(stack.folder, "bad.yaml");
  writeFileSync(
    file,
    "directories: [//services/directory]\nservces: [/etc/datawire.d/]\ndefaults:\n  liveness:\n    interval: 3 parsecs\n",
  );
  const { code, output } = await run("watson", ["-c", file, "--check"]);
  expect(output).toMatch(/bad\.yaml:2:1: .*servces.*services/);
  expect(output).toMatch(/bad\.yaml:5:15: .*interval.*3 parsecs/);
  expect(code).toBe(78);
});

test("a broken service file is told by --check with its place", async () => {
  const folder = join(stack.folder, "services");
  mkdirSync(folder);
  writeFileSync(join(folder, "good.yaml"), "service: //good\nurl: http://127.0.0.1:1\n");
  writeFileSync(join(folder, "bad.yaml"), "service: //bad\nurl: http://127.0.0.1:1\nliveness:\n  fall: none\n");
  const settings = join(stack.folder, "watson.yaml");
  writeFileSync(settings, `directories: [//localhost/directory]\nservices: [${folder}]\n`);
  const { code, output } = await run("watson", ["-c", settings, "--check"]);
  expect(output).toMatch(/bad\.yaml:4:9: .*fall/);
  expect(output).not.toMatch(/good\.yaml/);
  expect(code).toBe(78);
});

test("a port in use is told by name, with the flag that changes it", async () => {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as { port: number };
  const directory = await run("directory", [
    "-n",
    "localhost",
    "-p",
    String(port),
    "--data-dir",
    join(stack.folder, "d"),
  ]);
  expect(directory.output).toMatch(new RegExp(`${port}.*in use`));
  expect(directory.code).toBe(1);
  const sherlock = await run("sherlock", [
    "-d",
    "//localhost",
    "--listen",
    `127.0.0.1:${port}`,
    "--admin",
    "off",
    "--run-dir",
    join(stack.folder, "r"),
  ]);
  expect(sherlock.output).toMatch(new RegExp(`${port}.*in use`));
  expect(sherlock.code).toBe(1);
  server.close();
});

test("a HAProxy that is not there is one clear line", async () => {
  const file = join(stack.folder, "sherlock.yaml");
  writeFileSync(file, "haproxy: { command: /nowhere/haproxy }\n");
  const { code, output } = await run("sherlock", [
    "-d",
    "//localhost",
    "-c",
    file,
    "--admin",
    "off",
    "--run-dir",
    join(stack.folder, "r"),
  ]);
  expect(output).toMatch(/sherlock\.yaml:1:21: .*\/nowhere\/haproxy/);
  expect(output.split("\n").filter((line) => line !== "")).toHaveLength(1);
  expect(code).toBe(78);
});

test("a refused route changes nothing", async () => {
  await stack.startDirectory();
  await stack.startWatson();
  await stack.startInstance({ service: "barker", name: "one", version: "1" });
  const refused = await stack.dw("route", "add", "//*", "//baker(2)", "10%");
  expect(refused).toMatchObject({ code: 1, stdout: "" });
  expect(refused.stderr).toMatch(/no service baker is registered/);
  expect(await stack.dwJson("route", "list")).toEqual([]);
});
