import { access, constants } from "node:fs/promises";
import { delimiter, isAbsolute, join } from "node:path";
import { execa } from "execa";
import { explainSystemError } from "@datawire/runtime";
import type { HaproxyVersion } from "../core/model/haproxy-version.ts";
import { parseHaproxyVersion } from "../core/model/haproxy-version.ts";

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
  const ran = await execa(path, ["-v"], { reject: false, timeout: VERSION_MS_MAX });
  if (ran.failed) throw new Error(`Cannot use ${path} as HAProxy: \`${path} -v\` ${howItFailed(ran)}`);
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

interface Failed {
  readonly exitCode?: number | undefined;
  readonly signal?: string | undefined;
  readonly timedOut: boolean;
  readonly stderr: string;
  readonly cause?: unknown;
}

function howItFailed({ exitCode, signal, timedOut, stderr, cause }: Failed): string {
  if (timedOut) return `did not end within ${VERSION_MS_MAX} ms`;
  if (cause !== undefined) return `cannot be run: ${explainSystemError(cause)}`;
  const [said = ""] = stderr.trim().split("\n", 1);
  return `ended with ${signal ?? exitCode ?? "no exit code"}${said === "" ? "" : `: ${said}`}`;
}

async function locate(command: string | null, pathVariable: string): Promise<string> {
  if (command !== null && command.includes("/")) {
    if (await isExecutable(command)) return command;
    throw new Error(`Cannot find HAProxy at ${command} (haproxy.command): wanted the path of its program`);
  }
  const name = command ?? "haproxy";
  const inPath = pathVariable.split(delimiter).filter((folder) => isAbsolute(folder));
  for (const path of [...inPath.map((folder) => join(folder, name)), ...USUAL]) {
    if (await isExecutable(path)) return path;
  }
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
