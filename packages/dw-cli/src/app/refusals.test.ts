import { expect, test } from "vitest";
import type { CommandGrammar, OperandKind } from "../grammar/command.ts";
import { COMMANDS } from "../program/commands.ts";
import { run } from "../testing/run.ts";

/** Every operand and every option of every command is given what it cannot be, and the sentence is read. */

const SECRETS = ["http://u:hunter2@h", "dw1_hunter2hunter2", "//u:hunter2@h"];
const WRONG: Readonly<Record<OperandKind, readonly string[]>> = {
  source: ["//A", "//a(2", "//*@x", ...SECRETS],
  target: ["//b(", "//b:", "//b@", ...SECRETS],
  service: ["//B", "//b:2", "//b@x", ...SECRETS],
  instance: ["//b", "//b@", "//b:2@x", ...SECRETS],
  versions: ["//b:1.2", ...SECRETS],
  caller: ["//X", "//x:1", ...SECRETS],
  text: ["-1", "zz", ...SECRETS],
};
const RIGHT: Readonly<Record<OperandKind, string>> = {
  source: "//m",
  target: "//b:2",
  service: "//b",
  instance: "//b@x",
  versions: "//b:2",
  caller: "//m",
  text: "10%",
};
const OPTION_VALUES = ["-1", "zz", "1e9", "99999999", ...SECRETS];

/** What is never asked of a directory here, and follows it, or is a shell's. */
const LEFT_OUT = new Set(["top", "watch", "__complete"]);

function linesOf({ path, operands, options }: CommandGrammar): string[] {
  const typed = (index: number, value: string): string[] =>
    operands.flatMap(({ text, kind }, at) => {
      const given = at === index ? value : text.startsWith("<") ? RIGHT[kind] : null;
      return given === null ? [] : [`'${text.includes("=") ? `${given}=10%` : given}'`];
    });
  const ofOperands = operands.flatMap(({ kind }, index) => WRONG[kind].map((value) => typed(index, value)));
  const ofOptions = options.flatMap(({ flags }) => {
    const name = /--[a-z-]+(?= <)/.exec(flags)?.[0];
    return name === undefined ? [] : OPTION_VALUES.map((value) => [...typed(-1, ""), `${name}=${value}`]);
  });
  return [...ofOperands, ...ofOptions].map((words) => [path, ...words].join(" "));
}

test.each(COMMANDS.filter(({ path }) => !LEFT_OUT.has(path)).flatMap((command) => linesOf(command)))(
  "dw %s is asked of the directory, or refused in one line that has a reason and no secret",
  async (line) => {
    const { code, stderr, asked } = await run(line);
    // Of a token nothing may stand in a URL, which logs keep.
    if (line.startsWith("token")) expect(asked.join()).not.toContain("hunter2");
    if (asked.length > 0) return;
    expect(stderr).not.toMatch(/hunter2|undefined|\[object|\n.*\n/);
    const said = /^dw: (?:Cannot \S.*: \S|\S.* is invalid\. Allowed choices are |missing required |.*wanted )/;
    expect(code === 64 ? said.test(stderr) : true).toBe(true);
  },
);
