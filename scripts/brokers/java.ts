import { execFile } from "node:child_process";
import { join } from "node:path";
import { promisify } from "node:util";

const execute = promisify(execFile);

/** The oldest Java that Artemis runs on. */
const JAVA_MIN = 17;

/**
 * Looks for Java where Artemis does: in JAVA_HOME, or else in PATH.
 * @throws Error that says what is missing.
 */
export async function checkJava(env: NodeJS.ProcessEnv = process.env): Promise<void> {
  const { JAVA_HOME } = env;
  const command = JAVA_HOME ? join(JAVA_HOME, "bin/java") : "java";
  const wanted = `wanted Java ${JAVA_MIN} or newer in JAVA_HOME or PATH (Debian: openjdk-17-jre-headless)`;
  // Its version goes to the standard error.
  const said = await execute(command, ["-version"], { env }).then(
    ({ stderr }) => stderr,
    (error: Error) => {
      throw new Error(`Cannot run Artemis: ${command} does not start, ${wanted}`, { cause: error });
    },
  );
  const version = javaVersion(said);
  if (version === null || version < JAVA_MIN)
    throw new Error(`Cannot run Artemis with Java ${version ?? "of an unknown version"} (${command}): ${wanted}`);
}

/** The major version in what `java -version` prints; null where there is none. Before 9 it was the second number. */
export function javaVersion(text: string): number | null {
  const [, first, second] = /version "(\d+)(?:\.(\d+))?/.exec(text) ?? [];
  if (first === undefined) return null;
  return Number(first === "1" && second !== undefined ? second : first);
}
