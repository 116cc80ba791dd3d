import { expect, test } from "vitest";
import { type LogOptions, createLog } from "./log.ts";

function logTo(options: Partial<LogOptions> & { readonly isTTY?: boolean } = {}) {
  const lines: string[] = [];
  const { isTTY = false, ...rest } = options;
  const stream = { isTTY, write: (text: string) => void lines.push(text) };
  return { lines, log: createLog({ name: "watson", level: "info", stream, ...rest }) };
}

test("createLog() writes JSON lines when stderr is no terminal", () => {
  const { lines, log } = logTo();
  log.info("Instance is down", { instance: "vm101", error: new Error("a", { cause: new Error("b") }) });
  const { time, ...rest } = JSON.parse(lines[0] ?? "") as Record<string, unknown>;
  expect(time).toMatch(/^\d{4}-\d\d-\d\dT[\d:.]+Z$/);
  expect(rest).toEqual({ level: "info", name: "watson", msg: "Instance is down", instance: "vm101", error: "a: b" });
});

test("createLog() leaves out what is below its level", () => {
  const { lines, log } = logTo({ level: "warn" });
  log.debug("a");
  log.info("b");
  log.warn("c");
  log.error("d");
  expect(lines).toHaveLength(2);
});

test("createLog() writes text on a terminal, in colour", () => {
  const { lines, log } = logTo({ isTTY: true });
  log.child({ instance: "vm 101" }).warn("Instance is down", { count: 2 });
  expect(lines[0]).toMatch(
    /^\d\d:\d\d:\d\d\.\d{3} \u001B\[33mWARN \u001B\[0m watson: Instance is down instance="vm 101" count=2\n$/,
  );
});

test("createLog() writes text without colour when asked for it elsewhere", () => {
  const { lines, log } = logTo({ format: "text" });
  log.error("Broken");
  expect(lines[0]).toMatch(/^[\d:.]+ ERROR watson: Broken\n$/);
});

test("createLog() passes no escape sequence from outside to the terminal", () => {
  const { lines, log } = logTo({ format: "text" });
  log.info("Seen \u001B[2J", { name2: "\u001B[31mred\nline" });
  expect(lines[0]?.trimEnd()).not.toMatch(/\p{Cc}/u);
});
