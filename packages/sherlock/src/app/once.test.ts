import { execFile } from "node:child_process";
import { access, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { type Clock, makePrivateFolder, noLog, systemClock } from "@datawire/runtime";
import { afterEach, beforeEach, expect, test } from "vitest";
import { renderOnce, writeOnce } from "./once.ts";
import { loadSherlockSettings } from "../config/settings.ts";
import { CERTIFICATE } from "../testing/certificate.ts";
import { change, instance, routes, service } from "../testing/entities.ts";
import { removeFolder, temporaryFolder } from "../testing/places.ts";

/** Nobody waits in a test: what takes a while is over at once. */
const clock: Clock = {
  ...systemClock,
  setTimer: (_ms, fn) => systemClock.setTimer(0, fn),
  sleep: (_ms, signal) => systemClock.sleep(0, signal),
};

let folder = "";
beforeEach(async () => void (folder = await temporaryFolder()));
afterEach(() => removeFolder(folder));

/** A Sherlock whose directory is not there. */
async function context(printed: string[] = [], options: Readonly<Record<string, unknown>> = {}, config?: string) {
  const input = {
    config,
    directories: ["//127.0.0.1:1/directory"],
    options: {
      runDir: join(folder, "run"),
      dataDir: join(folder, "data"),
      listen: "127.0.0.1:6",
      name: "monolith",
      ...options,
    },
    args: [],
    env: { PATH: process.env["PATH"] },
  };
  const settings = await loadSherlockSettings(input);
  const { signal } = new AbortController();
  return { settings, input, log: noLog, clock, signal, print: (text: string) => void printed.push(text) };
}

const config = () => readFile(join(folder, "run", "haproxy.cfg"), "utf8");

async function keepTable(table = change(service("barker"), instance("barker", "vm1"))): Promise<void> {
  await makePrivateFolder(join(folder, "data"));
  const kept = { format: 1, savedAt: new Date(0).toISOString(), table, position: { epoch: "e", revision: 1 } };
  await writeFile(join(folder, "data", "table.json"), JSON.stringify(kept));
}

test("writeOnce() writes the table that is kept, and leaves that be where none has come", async () => {
  await keepTable();
  expect(await writeOnce(await context())).toBe(0);
  const good = await config();
  expect(good).toContain("barker");
  await writeFile(join(folder, "data", "table.json"), "{}");
  await expect(writeOnce(await context())).rejects.toMatchObject({
    exitCode: 69,
    message: expect.stringMatching(
      /no table has come \(.+\), and none is kept in .+table\.json; what was written/,
    ) as string,
  });
  expect(await config()).toBe(good);
});

test("renderOnce() prints what would be run without a table too, and leaves nothing behind", async () => {
  const printed: string[] = [];
  await renderOnce(await context(printed));
  expect(printed.join("")).toContain("bind 127.0.0.1:6");
  await expect(config()).rejects.toThrow("ENOENT");
});

/** Whatever else a folder on this machine has, the configuration names none of it. */
async function namedFiles(config: string): Promise<string[]> {
  const text = await readFile(config, "utf8");
  const paths = [...text.matchAll(/(?<=[ (@])\/(?:tmp|var|etc|usr|run)\/[\w./@+-]+/g)].map(([path]) => path);
  return [...new Set(paths)].filter((path) => !path.endsWith(".sock"));
}

test("renderOnce() with --output writes what HAProxy accepts, with every file that it names", async () => {
  await writeFile(join(folder, "authority.pem"), CERTIFICATE);
  const config = join(folder, "sherlock.yaml");
  await writeFile(
    config,
    `haproxy: { ca_file: ${folder}/authority.pem }\naccess_log: json\npercentiles: on\nhosts: [app.example.com]\ntcp: { postgres: "127.0.0.1:7" }\n`,
  );
  await keepTable(
    change(
      service("barker"),
      instance("barker", "vm1"),
      instance("barker", "vm2", { version: "2", url: "http://127.0.0.1:8001/base", order: 1 }),
      routes("barker", { "//barker(2)": { share: 1_000, when: "header:x-canary=1" } }, { sticky: "cookie:user" }),
      service("kept", { settings: { balance: "cookie:SERVERID", maxConnections: 5 } }),
      instance("kept", "vm1"),
      service("secure"),
      instance("secure", "vm2", { url: "https://127.0.0.1:8443/base" }),
      service("postgres", { protocol: "tcp" }),
      instance("postgres", "vm3", { url: "tcp://127.0.0.1:5432", protocol: "tcp" }),
    ),
  );
  const printed: string[] = [];
  const output = join(folder, "out/of", "here");
  expect(await renderOnce(await context(printed, { output }, config))).toBe(0);
  expect(printed).toEqual([]);
  const text = await readFile(join(output, "haproxy.cfg"), "utf8");
  for (const word of ["barker", "ca-file", "postgres:listen"]) expect(text).toContain(word);
  const named = await namedFiles(join(output, "haproxy.cfg"));
  expect(named.length).toBeGreaterThan(5);
  expect(named.filter((path) => !path.startsWith(`${output}/`))).toEqual([]);
  for (const path of named) await expect(access(path)).resolves.toBeUndefined();
  await rm(join(folder, "data"), { recursive: true });
  await rm(join(folder, "authority.pem"));
  const { stderr } = await promisify(execFile)("haproxy", ["-c", "-f", join(output, "haproxy.cfg")]);
  expect(stderr).not.toMatch(/can't open|cannot open/i);
});

test("renderOnce() says which folder cannot be written", async () => {
  await writeFile(join(folder, "file"), "");
  const options = { output: join(folder, "file/below") };
  await expect(renderOnce(await context([], options))).rejects.toThrow(/^Cannot write \S+below \(--output\): /);
  const far = { output: join(folder, "x".repeat(90)) };
  await expect(renderOnce(await context([], far))).rejects.toThrow(/as output folder \(--output\): the sockets in it/);
});
