import { access, constants } from "node:fs/promises";
import { basename, delimiter, isAbsolute, join } from "node:path";
import { explainSystemError } from "@datawire/runtime";
import { type HaproxyVersion, parseHaproxyVersion } from "../core/model/haproxy-version.ts";
import { type Ran, runProgram } from "../haproxy/run-program.ts";

/** An HAProxy that can be run. */
export interface HaproxyBinary {
  readonly path: string;
  readonly version: HaproxyVersion;
}

/** Where packages put it when the PATH of a service has it not. */
const USUAL = ["/usr/sbin/haproxy", "/usr/local/sbin/haproxy", "/usr/local/bin/haproxy", "/opt/homebrew/bin/haproxy"];
const VERSION_MS_MAX = 5_000;

/** Finds HAProxy and asks for its version. @throws Error that says what to do. */
export async function findHaproxy(command: string | null, pathVariable: string): Promise<HaproxyBinary> {
  const path = await locate(command, pathVariable);
  const ran = await runProgram(path, ["-v"], VERSION_MS_MAX);
  if (!ran.ok) throw new Error(`Cannot use ${path} as HAProxy: \`${path} -v\` ${howItFailed(ran)}`);
  const { stdout } = ran;
  const version = parseHaproxyVersion(stdout);
  if (version === null) {
    throw new Error(
      `Cannot use ${path} as HAProxy: it says ${JSON.stringify(stdout.split("\n", 1)[0])}, wanted HAProxy 2.4 or newer`,
    );
  }
  if (!version.supported) {
    throw new Error(`Cannot use ${path} as HAProxy: its version is ${version.text}, wanted 2.4 or newer`);
  }
  return { path, version };
}

function howItFailed({ how, stderr, cause }: Ran): string {
  const said = cause === undefined ? stderr.trim().split("\n", 1)[0] : explainSystemError(cause);
  return `${how}${said === undefined || said === "" ? "" : `: ${said}`}`;
}

async function locate(command: string | null, pathVariable: string): Promise<string> {
  if (command !== null && command.includes("/")) {
    if (await isExecutable(command)) return command;
    throw new Error(`Cannot find HAProxy at ${command} (haproxy.command): wanted the path of its program`);
  }
  const name = command ?? "haproxy";
  const inPath = pathVariable.split(delimiter).filter((folder) => isAbsolute(folder));
  // Another program than the one that is named would be a surprise.
  const usual = USUAL.filter((path) => basename(path) === name);
  for (const path of [...inPath.map((folder) => join(folder, name)), ...usual]) {
    if (await isExecutable(path)) return path;
  }
  if (command !== null)
    throw new Error(`Cannot find HAProxy: ${command} (haproxy.command) is not in PATH, wanted the path of its program`);
  throw new Error(
    "Cannot find HAProxy: it is not in PATH; install it (`apt-get install haproxy`, `dnf install haproxy`) or name it with haproxy.command in sherlock.yaml",
  );
}

async function isExecutable(path: string): Promise<boolean> {
  try {
    await access(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
