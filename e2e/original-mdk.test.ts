import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { expect, test } from "vitest";
import { matches } from "./harness/docs/match.ts";
import { type CommandItem, readPage } from "./harness/docs/page.ts";
import { Shell } from "./harness/docs/shell.ts";
import { BIN } from "./harness/programs.ts";
import { findOriginalPython, type OriginalPython } from "./harness/original-python.ts";
import { freePorts } from "@datawire/runtime/testing";

const ROOT = join(import.meta.dirname, "..");
const PAGE = join(ROOT, "docs/mdk-original.md");
/** What marks a block that is run here. */
const HERE = /<!-- not run: it needs a Python that runs the client[^>]*-->\n/g;
/** Those that the page names; others may be taken on this machine. */
const PORTS = ["5430", "5432", "8081", "8082", "8083", "8084", "8085"];
const TRUE_WITHIN_MS = 120_000;

const python = await findOriginalPython();
const found = typeof python === "string" ? null : python;

test("the original client is tried here, or there is a reason why not", () => {
  if (found === null) expect(python).toMatch(/^there is no Python 3\.4 to 3\.6 here$|cannot install/);
  else expect(found.program).toContain("python");
});

/** A folder in which a page is followed: its files, and the programs that it names. */
function prepare(folder: string, page: string, { program, env }: OriginalPython): void {
  for (const [, name = "", body = ""] of page.matchAll(/```python\n# (\S+)\n([^]*?)```/g))
    writeFileSync(join(folder, name), body);
  const bin = join(folder, "bin");
  mkdirSync(bin);
  const own = (name: string): string => join(BIN, name);
  const programs = {
    python: `PYTHONPATH=${env["PYTHONPATH"] ?? ""} exec ${program} -u`,
    pip: "exec true", // it is installed
    directory: `exec ${own("directory")}`,
    sherlock: `exec ${own("sherlock")}`,
  };
  for (const [name, command] of Object.entries(programs)) {
    writeFileSync(join(bin, name), `#!/bin/sh\necho $$ >>${pidsOf(folder)}\n${command} "$@"\n`);
    chmodSync(join(bin, name), 0o755);
  }
}

const pidsOf = (folder: string): string => join(folder, "pids");

/** Ends what the page has left running. */
function endAll(folder: string): void {
  for (const pid of readFileSync(pidsOf(folder), "utf8").trim().split("\n")) {
    try {
      process.kill(Number(pid), "SIGTERM");
    } catch {
      // it has ended
    }
  }
}

async function follow(shell: Shell, { command, output, line }: CommandItem): Promise<void> {
  const end = performance.now() + TRUE_WITHIN_MS;
  for (;;) {
    const printed = await shell.run(command);
    if (output === null || matches(output, printed)) return;
    // What only reads is looked at again; the rest has been done.
    if (!/^(dw|curl) /.test(command) || performance.now() > end) {
      const shown = `docs/mdk-original.md:${line}: $ ${command}\n--- shown\n${output}\n--- printed\n${printed}`;
      throw new Error(shown);
    }
    await sleep(300);
  }
}

test.runIf(found !== null)("with the original client, all that its page shows comes true", async () => {
  const ports = (await freePorts(PORTS.length)).toSorted((a, b) => a - b);
  let page = readFileSync(PAGE, "utf8").replaceAll(HERE, "");
  PORTS.forEach((port, i) => (page = page.replaceAll(port, String(ports[i]))));
  const folder = mkdtempSync(join(tmpdir(), "dstack-original-"));
  prepare(folder, page, found as OriginalPython);
  const env = {
    HOME: folder,
    PATH: [join(folder, "bin"), BIN, process.env["PATH"], "/usr/sbin"].join(":"),
    XDG_STATE_HOME: join(folder, "state"),
    XDG_RUNTIME_DIR: join(folder, "run"),
    DATAWIRE_DIRECTORY: `//localhost:${ports[0]}/directory`,
    LANG: "C.UTF-8",
  };
  mkdirSync(env.XDG_RUNTIME_DIR, { mode: 0o700 });
  const shell = new Shell(folder, ["bash"], { inside: folder, env });
  try {
    await shell.run(`cd ${folder}`);
    for (const item of readPage(page).items) if (item.kind === "command") await follow(shell, item);
    // The page says that no log has the token.
    expect(await shell.run("grep -c 'token=' directory.log")).toBe("0\n");
  } finally {
    endAll(folder);
    await shell.run("wait");
    await shell.end();
    rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
  }
});
