import { mkdtemp, rm, stat, writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type ProcessLike, runDaemon, type SignalName } from "@datawire/runtime";
import { afterAll, beforeAll, expect, test } from "vitest";
import { directoryDaemon } from "./daemon.ts";

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "datawire-daemon-"));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

/** Runs the daemon as a process would, in this one; `during` may look at it and ends it. */
async function run(argv: readonly string[]) {
  const stderr: string[] = [];
  const signals = new Map<SignalName, () => void>();
  const process: ProcessLike = {
    argv: [],
    env: { HOME: folder, XDG_CONFIG_HOME: join(folder, "config"), XDG_STATE_HOME: join(folder, "state") },
    pid: 1,
    stdout: () => {},
    stderr: (text) => void stderr.push(text),
    onSignal(name, listener) {
      signals.set(name, listener);
      return () => signals.delete(name);
    },
    onCrash: () => () => {},
    exit: () => {},
  };
  const code = await runDaemon(directoryDaemon, { process, argv: [...argv, "--log-level", "error"] });
  return { code, stderr: stderr.join("") };
}

test("a port in use is one clear line, and exit code 1", async () => {
  const other = createServer().listen(0, "127.0.0.1");
  await new Promise((resolve) => other.once("listening", resolve));
  const { port } = other.address() as AddressInfo;
  const { code, stderr } = await run(["-p", String(port), "--data-dir", join(folder, "a")]);
  other.close();
  expect(code).toBe(1);
  expect(stderr).toMatch(
    new RegExp(`^directory: Cannot listen on 127.0.0.1:${port} \\(--port\\): the port is in use.*\n$`),
  );
});

test.each([
  [["-p", "70000"], 64, /--port: port is 70000: wanted a port/],
  [["-a", "barker"], 64, /Cannot read directory address "barker"/],
  [["--listen", "nowhere"], 64, /Cannot listen on "nowhere"/],
  [["--prot", "1"], 64, /unknown option '--prot'/],
])("%o is refused with %i", async (argv, code, message) => {
  const result = await run([...argv, "--data-dir", join(folder, "b")]);
  expect(result.code).toBe(code);
  expect(result.stderr).toMatch(message);
});

test("--check names every problem of a settings file with its place", async () => {
  const file = join(folder, "directory.yaml");
  await writeFile(file, "port: 5430\nleese: 15s\nguard: { share: 150% }\ntls: maybe\n");
  const { code, stderr } = await run(["-c", file, "--check"]);
  expect(code).toBe(78);
  expect(stderr).toContain(`${file}:2:1: `);
  expect(stderr).toContain("lease");
  expect(stderr).toContain(
    `${file}:3:17: guard.share is "150%": it is more than the whole; wanted a share from 0% to 100%`,
  );
  expect(stderr).toContain(`${file}:4:6: `);
});

test("a certificate that cannot be used ends the start with 78 and its place, before anything is made", async () => {
  const file = join(folder, "certificate.yaml");
  const cert = join(folder, "garbage.pem");
  await writeFile(cert, "garbage");
  await writeFile(file, `listen: 127.0.0.1:0\ntls: { cert: ${cert}, key: ${cert} }\n`);
  const { code, stderr } = await run(["-c", file, "--data-dir", join(folder, "unmade")]);
  expect(code).toBe(78);
  expect(stderr).toBe(
    `${file}:2:6: tls: Cannot use the certificate ${cert} with the key ${cert}: it holds no certificate, wanted PEM with a line -----BEGIN CERTIFICATE-----\n`,
  );
  await expect(stat(join(folder, "unmade"))).rejects.toThrow("ENOENT");
});
