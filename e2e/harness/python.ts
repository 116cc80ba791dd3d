import { spawn } from "node:child_process";
import { type Child, watchChild } from "./child.ts";

/** Debian's, for which its package of Proton is; another may come first in PATH. */
const PYTHON = "/usr/bin/python3";

/** Where Debian's package has Proton's own examples. */
export const PROTON_EXAMPLES = "/usr/share/proton/examples/python";

/** Starts a program of Python; whoever starts it ends it. */
export function startPython(...args: readonly string[]): Child {
  return watchChild(spawn(PYTHON, ["-u", ...args], { stdio: ["ignore", "pipe", "pipe"] }), args.join(" "));
}
