import { Command } from "commander";
import { expect, test } from "vitest";
import { runCommandLine } from "./command-line.ts";

async function run(...argv: string[]) {
  let [stdout, stderr] = ["", ""];
  const program = new Command("dw").version("1.2.3", "-V, --version").option("--json", "print JSON");
  program
    .command("route")
    .command("list")
    .argument("[service]")
    .allowExcessArguments(false)
    .action(() => {});
  const code = await runCommandLine(program, argv, {
    stdout: (text) => (stdout += text),
    stderr: (text) => (stderr += text),
  });
  return { code, stdout, stderr };
}

test.each<[string[], string]>([
  [["--jsn"], "dw: unknown option '--jsn', did you mean --json?; see `dw --help`\n"],
  [["rout"], "dw: unknown command 'rout', did you mean route?; see `dw --help`\n"],
  [
    ["route", "list", "a", "b"],
    "dw: too many arguments for 'list'. Expected 1 argument but got 2: a, b; see `dw route list --help`\n",
  ],
])("runCommandLine() tells %j in one line", async (argv, stderr) => {
  expect(await run(...argv)).toMatchObject({ code: 64, stdout: "", stderr });
});

test("runCommandLine() prints help and version on stdout when asked for them", async () => {
  expect(await run("--version")).toMatchObject({ code: 0, stdout: "1.2.3\n", stderr: "" });
  expect(await run("--help")).toMatchObject({ code: 0, stdout: expect.stringContaining("Usage: dw"), stderr: "" });
});

test("runCommandLine() prints help on stderr when nothing was asked for", async () => {
  expect(await run()).toMatchObject({ code: 64, stdout: "", stderr: expect.stringContaining("Usage: dw") });
  expect(await run("route")).toMatchObject({ code: 64, stderr: expect.stringContaining("Usage: dw route") });
});

test("runCommandLine() leaves the exit code to an action that ran", async () => {
  expect(await run("route", "list", "a")).toEqual({ code: undefined, stdout: "", stderr: "" });
});
