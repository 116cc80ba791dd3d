// Runs every test that has to do with HAProxy, with one that is installed elsewhere or was built from source:
//   node scripts/test-haproxy.ts /opt/haproxy-3.2/sbin/haproxy
import { mkdtemp, rm, symlink } from "node:fs/promises";
import { tmpdir } from "node:os";
import { delimiter, join, resolve } from "node:path";
import { findHaproxy, lacksOf } from "@datawire/sherlock";
import { printStep } from "./step.ts";
import { runVitest } from "./vitest-run.ts";

const UNIT = ["packages/sherlock"];
const END_TO_END = ["http", "tcp", "main-job", "no-request-lost", "contract", "counters", "shares", "limits", "demo"];

const [given] = process.argv.slice(2);
if (given === undefined) {
  console.error("Cannot test HAProxy: no program is named, wanted its path");
  process.exit(64);
}
const { path, version } = await findHaproxy(resolve(given), "");
const lacks = lacksOf(version.features);
console.log(`HAProxy ${version.text}, which lacks ${lacks.length === 0 ? "nothing" : lacks.join("; ")}`);

const startedAt = performance.now();
const folder = await mkdtemp(join(tmpdir(), "dstack-haproxy-"));
try {
  // Tests, and the programs that they start, take the first one in PATH.
  await symlink(path, join(folder, "haproxy"));
  const env = { PATH: [folder, process.env["PATH"]].join(delimiter) };
  const unit = await runVitest("unit", { env, paths: UNIT });
  const endToEnd = await runVitest("e2e", { env, paths: END_TO_END.map((name) => `e2e/${name}.test.ts`) });
  const failed = unit.failed + endToEnd.failed;
  printStep("done", performance.now() - startedAt, failed === 0);
  console.log(`HAProxy ${version.text}: ${unit.passed + endToEnd.passed} passed, ${failed} failed`);
  process.exitCode = failed === 0 ? 0 : 1;
} finally {
  await rm(folder, { recursive: true, force: true });
}
