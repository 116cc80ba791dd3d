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

test.each(["text", "json"] as const)(
  "createLog() passes nothing to a terminal that it would obey or hide, as %s",
  (format) => {
    const { lines, log } = logTo({ format });
    const odd = "\u001B[31m\u009B\u202E\u{E0041}\u2028\uFEFF\nred";
    log.info(`Seen ${odd}`, { version: odd, list: [odd], [odd]: 1, plain: "a\u{E0041}" });
    expect(lines[0]?.trimEnd()).not.toMatch(/[\p{Cc}\p{Cf}\u2028\u2029]/u);
    if (format === "json") expect(JSON.parse(lines[0] ?? "")).toMatchObject({ version: odd, [odd]: 1 });
  },
);

test.each(["text", "json"] as const)("createLog() writes no secret, as %s", (format) => {
  const { lines, log } = logTo({ format });
  log.child({ url: "http://u:hunter2@h/" }).error("Failed http://u:hunter2@h/", {
    error: new Error("no", { cause: new Error('answer of "wss://u:hunter2@h" to dw1_hunter2') }),
    headers: { list: ["Authorization: Bearer hunter2hunter2", "/x?token=hunter2&a=1"] },
  });
  expect(lines[0]).not.toContain("hunter2");
  expect(lines[0]).toContain("***@h");
});
