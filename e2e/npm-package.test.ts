import { execFile, spawn } from "node:child_process";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, dirname, join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, expect, test } from "vitest";
import { buildPackages } from "../packaging/build-packages.ts";
import { writeSums } from "../packaging/sums.ts";
import { LIB } from "../scripts/build-programs.ts";
import { type Child, watchChild } from "./harness/child.ts";
import { freePorts } from "@datawire/runtime/testing";

const run = promisify(execFile);
const folder = mkdtempSync(join(tmpdir(), "dstack-npm-"));
const prefix = join(folder, "prefix");
/** The machine's own Node and npm, as a user has them: not those of this checkout. */
const PATH = (process.env["PATH"] ?? "")
  .split(delimiter)
  .filter((path) => !path.includes("node_modules"))
  .join(delimiter);
const env = { ...process.env, PATH: [join(prefix, "bin"), PATH].join(delimiter), HOME: folder };
const started: Child[] = [];

const INSTALL = join(import.meta.dirname, "../install.sh");

let library = "";

beforeAll(async () => {
  const { files } = await buildPackages({ out: folder, formats: ["npm"], bundled: LIB });
  library = files.find((file) => file.includes("datawire-mdk")) ?? "";
  const { HOME } = process.env; // npm's own settings and cache
  await writeSums(folder);
  const args = [INSTALL, "--from", folder, "--format", "npm", "--prefix", prefix];
  await run("sh", args, { env: { ...env, HOME, npm_config_prefer_offline: "true" } });
});
afterAll(async () => {
  for (const child of started) child.kill("SIGTERM");
  await Promise.all(started.map((child) => child.exited));
  rmSync(folder, { recursive: true, force: true });
});

test("the npm package has what routers serve to browsers, and the samples", () => {
  const lib = join(prefix, "lib/node_modules/dstack/lib");
  expect(readdirSync(join(lib, "dw/samples"))).toEqual(["microchat", "microlog"]);
  for (const program of ["dw", "router"])
    expect(readdirSync(join(lib, program, "browser"))).toEqual(["datawire.css", "datawire.d.ts", "datawire.js"]);
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

test("the client library of its own package runs on the machine's Node, and has types", async () => {
  const own = join(folder, "application");
  mkdirSync(own);
  writeFileSync(join(own, "package.json"), '{"type":"module"}');
  const { HOME } = process.env;
  const args = ["install", "--prefer-offline", "--no-audit", "--no-fund", library];
  await run("npm", args, { cwd: own, env: { ...env, HOME } });
  writeFileSync(
    join(own, "main.js"),
    `import { start } from "@datawire/mdk";
     import { createSessions } from "@datawire/mdk/session";
     for (const entry of ["connect", "fastify", "koa", "fetch"]) await import("@datawire/mdk/" + entry);
     const mdk = start({ name: "shop", source: 'static:nodes=[{"service":"till","version":"1.2","address":"http://a:1"}]' });
     const { address } = await mdk.session().resolve("till", "1.0");
     await mdk.stop();
     console.log(address, createSessions().join(mdk.session().externalize()).getEnvironment().name);`,
  );
  expect((await run("node", [join(own, "main.js")], { env })).stdout).toBe("http://a:1 sandbox\n");
  expect(
    modulesOf(join(own, "node_modules/@datawire/mdk/lib/session.js")).filter((name) => !name.startsWith(".")),
  ).toEqual([]);
  writeFileSync(
    join(own, "types.ts"),
    `import { start, type Node, type Session } from "@datawire/mdk";
     import { mdkMiddleware } from "@datawire/mdk/connect";
     import { createServer } from "node:http";
     const mdk = start({ name: "shop", directories: [["//a", "//b"]] });
     const session: Session = mdk.session();
     export const node: Promise<Node> = session.resolve("till");
     export const server = createServer((req, res) => mdkMiddleware(mdk)(req, res, () => req.mdk.info("a", "b")));
     // @ts-expect-error -- there is no such level
     session.trace("LOUD");`,
  );
  const checkout = join(import.meta.dirname, "..");
  const options = "--noEmit --strict --module nodenext --target es2024 --lib es2024 --skipLibCheck --types node";
  const types = ["--typeRoots", join(checkout, "node_modules/@types"), join(own, "types.ts")];
  await run(join(checkout, "node_modules/.bin/tsc"), [...options.split(" "), ...types], { cwd: own });
});

/** All that a module imports, and what those import in turn. */
function modulesOf(file: string): string[] {
  const imported = [...readFileSync(file, "utf8").matchAll(/^(?:import|export)\b[^;]*?["']([^"']+)["'];/gm)].map(
    ([, name = ""]) => name,
  );
  return imported.flatMap((name) => [name, ...(name.startsWith(".") ? modulesOf(join(dirname(file), name)) : [])]);
}

async function startDirectory(): Promise<{ readonly child: Child; readonly address: string }> {
  const [port] = await freePorts(1);
  const args = ["-p", String(port), "--data-dir", join(folder, "data"), "--log-format", "json"];
  const child = watchChild(spawn("directory", args, { env }), "directory");
  started.push(child);
  await child.line((line) => line.includes('is ready"'));
  return { child, address: `//localhost:${port}/directory` };
}
