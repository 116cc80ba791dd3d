import { execFile } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, expect, test } from "vitest";
import { describeFiles } from "./reference/programs.ts";

const root = join(import.meta.dirname, "..");
const folder = mkdtempSync(join(tmpdir(), "dstack-samples-"));
// Settings of the machine that runs the tests are no part of the samples.
const env = {
  PATH: process.env["PATH"],
  NODE_COMPILE_CACHE: process.env["NODE_COMPILE_CACHE"],
  HOME: "/nonexistent",
  XDG_CONFIG_HOME: "/nonexistent",
};
const samples = ["directory", "router", "sherlock", "watson"] as const;

afterAll(() => rmSync(folder, { recursive: true }));

const read = (name: string): string => readFileSync(join(root, "etc/datawire", `${name}.yaml`), "utf8");

/** A sample with all that it only shows; but for what names files, which are not there. */
const everything = (name: string): string =>
  read(name)
    .replace(/^# ((?:[a-z_]+:|  ).*)$/gm, "$1")
    .replace(/^ *(?:token_file|tls|template):.*\n/gm, "");

test.each(samples)("%s --check passes its sample in etc/, as it is and with all that it shows", async (name) => {
  const whole = join(folder, `${name}.yaml`);
  writeFileSync(whole, everything(name));
  const services = name === "watson" ? ["--services", "etc/datawire.d/"] : [];
  const checks = [`etc/datawire/${name}.yaml`, whole].map((file) => check(name, ["-c", file, ...services]));
  expect(await Promise.all(checks)).toEqual(["", ""]);
});

test.each(samples)("the sample of %s has every key", (name) => {
  const { settings = [] } = describeFiles().find(({ file }) => file === `${name}.yaml`) ?? {};
  const keys = new Set(settings.map(({ key }) => key.replace(/[.[].*/, "")));
  keys.delete("token"); // not for a file that everybody may read
  const shown = [...read(name).matchAll(/^(?:# )?([a-z_]+):/gm)].map(([, key]) => String(key));
  expect(shown.toSorted()).toEqual([...keys].toSorted());
});

/** Rejects, with what was printed, for any other exit code than 0. */
async function check(name: string, args: readonly string[]): Promise<string> {
  const main = join(root, "packages", name, "src", "main.ts");
  const { stdout, stderr } = await promisify(execFile)(process.execPath, [main, "--check", ...args], {
    cwd: root,
    env,
  });
  return stdout + stderr;
}
