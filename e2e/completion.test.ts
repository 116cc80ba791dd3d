import { execFile } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, expect, test } from "vitest";
import { BIN } from "./harness/programs.ts";

/** The completion scripts in the shells that they are for; what they offer is tried in `completion.test.ts` of dw. */
const run = promisify(execFile);
const folder = mkdtempSync(join(tmpdir(), "dstack-completion-"));
const env = { ...process.env, PATH: [BIN, process.env["PATH"]].join(delimiter), HOME: folder, XDG_DATA_HOME: folder };

const NAMES = { bash: "dw.bash", zsh: "_dw", fish: "dw.fish" } as const;

beforeAll(async () => {
  for (const [shell, name] of Object.entries(NAMES)) {
    writeFileSync(join(folder, name), (await run("dw", ["completion", shell], { env })).stdout);
  }
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** Outside of its line editor zsh has nothing that takes candidates. */
const ZSH_ASKS = `
compadd() { print -rl -- \${@[$@[(i)--]+1,-1]} }
words=(dw route l) CURRENT=3
$_comps[dw]`;

test.each([
  [
    "bash",
    "sourced",
    'source dw.bash; COMP_LINE="dw route l" COMP_POINT=10 COMP_WORDS=(dw route l) COMP_CWORD=2; _dw; echo $COMPREPLY',
  ],
  ["fish", "sourced", 'source dw.fish; complete -C "dw route l"'],
  ["zsh", "sourced", `autoload -Uz compinit; compinit -u -D; source ./_dw; ${ZSH_ASKS}`],
  ["zsh", "in a folder of completions", `fpath=($PWD $fpath); autoload -Uz compinit; compinit -u -D; ${ZSH_ASKS}`],
])("completion of %s, %s, offers what dw says from the first time on", async (shell, _, script) => {
  const { stdout, stderr } = await run(shell, ["-c", script], { env, cwd: folder });
  expect({ stdout: stdout.trim(), stderr }).toEqual({ stdout: "list", stderr: "" });
});
