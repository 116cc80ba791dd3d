// Runs the tests with brokers that the system's packages lack: Artemis, from the Maven repository or a folder of yours.
//   node scripts/test-brokers.ts [/opt/apache-artemis-2.40.0]
// MAVEN_REPOSITORY=ADDRESS takes it, and the plugin of Maven that fetches it, from a repository other than Maven is set to.
import { existsSync } from "node:fs";
import { join, resolve } from "node:path";
import { provideArtemis } from "./brokers/artemis.ts";
import { checkJava } from "./brokers/java.ts";
import { printStep } from "./step.ts";
import { runVitest } from "./vitest-run.ts";

const CACHE = join(import.meta.dirname, "../node_modules/.cache/brokers");

const startedAt = performance.now();
try {
  await checkJava();
  const home = await homeOf(process.argv[2]);
  console.log(`Artemis in ${home}`);
  const { passed, failed } = await runVitest("brokers", { env: { ARTEMIS_HOME: home } });
  printStep("done", performance.now() - startedAt, failed === 0);
  console.log(`${passed} passed, ${failed} failed`);
  process.exitCode = failed === 0 ? 0 : 1;
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
}

async function homeOf(given: string | undefined): Promise<string> {
  if (given === undefined) return provideArtemis(CACHE, process.env["MAVEN_REPOSITORY"] || null);
  const home = resolve(given);
  if (!existsSync(join(home, "bin/artemis")))
    throw new Error(`Cannot use ${home}: it has no bin/artemis, wanted the folder of an unpacked Artemis`);
  return home;
}
