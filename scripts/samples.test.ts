import { execFile } from "node:child_process";
import { join } from "node:path";
import { promisify } from "node:util";
import { expect, test } from "vitest";

const root = join(import.meta.dirname, "..");
// Settings of the machine that runs the tests are no part of the samples.
const env = { PATH: process.env["PATH"], HOME: "/nonexistent", XDG_CONFIG_HOME: "/nonexistent" };

test.each([
  ["directory", []],
  ["sherlock", []],
  ["watson", ["--services", "etc/datawire.d/"]],
])("%s --check passes its sample in etc/", async (name, more) => {
  const main = join(root, "packages", name, "src", "main.ts");
  const args = [main, "--check", "-c", `etc/datawire/${name}.yaml`, ...more];
  // Rejects, with what was printed, for any other exit code than 0.
  const { stdout, stderr } = await promisify(execFile)(process.execPath, args, { cwd: root, env });
  expect(stdout + stderr).toBe("");
});
