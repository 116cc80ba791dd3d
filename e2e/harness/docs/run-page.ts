import { execFile } from "node:child_process";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { matches } from "./match.ts";
import { onlyReads } from "./only-reads.ts";
import type { CommandItem, FileItem, Item } from "./page.ts";
import type { RanCommand } from "./results.ts";
import { Sandbox } from "./sandbox.ts";
import { Shell } from "./shell.ts";

const ROOT = join(import.meta.dirname, "../../..");
/** How long what a page shows may take to come true; readers are slower. */
const TRUE_WITHIN_MS = 30_000;
/** How long to wait before what is printed is taken for what the page should show. */
const SETTLED_WITHIN_MS = 1_200;
const STARTED_WITHIN_MS = 5_000;
/** Ends when the test is killed, also in the middle of a loop that waits for something. */
const BASH = ["setpriv", "--pdeathsig", "TERM", "bash", "--noprofile", "--norc"] as const;

export interface PageOptions {
  readonly markdown: string;
  readonly ports: readonly number[];
  readonly items: readonly Item[];
}

/** Runs a page from top to bottom in a sandbox of its own; stops at the first command that prints something else. */
export async function runPage(
  { markdown, ports, items }: PageOptions,
  { update }: { readonly update: boolean },
): Promise<readonly RanCommand[]> {
  const sandbox = await Sandbox.create(markdown, ports);
  const shell = new Shell(sandbox.folder, BASH, { cwd: ROOT, env: sandbox.env });
  const results: RanCommand[] = [];
  try {
    for (const item of items) {
      if (item.kind === "file") await putFile(item, sandbox);
      if (item.kind === "setup") await shell.run(sandbox.toHere(item.command));
      if (item.kind !== "command") continue;
      const result = await runCommand(item, { shell, sandbox, update });
      results.push(result);
      if (update && item.command.includes(" &")) await sleep(STARTED_WITHIN_MS);
      if (!result.ok && !update) break;
    }
    return results;
  } finally {
    shell.end();
    sandbox.dispose();
  }
}

interface Tools {
  readonly shell: Shell;
  readonly sandbox: Sandbox;
  readonly update: boolean;
}

async function runCommand(item: CommandItem, { shell, sandbox, update }: Tools): Promise<RanCommand> {
  const end = performance.now() + (update ? SETTLED_WITHIN_MS : TRUE_WITHIN_MS);
  // Asking is work too, and takes the time of what it waits for.
  for (let pauseMs = 200; ; pauseMs = Math.min(pauseMs * 1.5, 1_000)) {
    const printed = sandbox.fromHere(await shell.run(sandbox.toHere(item.command)));
    const ok = item.output === null || matches(item.output, printed);
    if (ok || !onlyReads(item.command) || performance.now() > end) return { item, printed, ok };
    await sleep(pauseMs);
  }
}

async function putFile(item: FileItem, sandbox: Sandbox): Promise<void> {
  const { path, line } = item;
  const file = sandbox.put(item);
  const program = /^\/etc\/datawire\/(directory|watson|sherlock)\.yaml$/.exec(path)?.[1];
  if (program !== undefined) return check([program, "--check", "-c", file], line, sandbox);
  if (path.startsWith("/etc/datawire.d/")) await check(["watson", "--check", "--services", file], line, sandbox);
}

function check([program, ...args]: readonly [string, ...string[]], line: number, { env }: Sandbox): Promise<void> {
  return new Promise((resolve, reject) => {
    execFile(program, args, { env, cwd: ROOT }, (error, stdout, stderr) => {
      if (error === null) return resolve();
      reject(new Error(`line ${line}: ${program} ${args.join(" ")} refuses the file: ${stdout}${stderr}`));
    });
  });
}
