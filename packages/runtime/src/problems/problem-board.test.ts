import { problemsSchema, type ReportedProblem } from "@datawire/protocol";
import { describe, expect, test } from "vitest";
import { ProblemBoard } from "./problem-board.ts";

function problems(count: number, subject = "file"): ReportedProblem[] {
  return Array.from({ length: count }, (_, i) => ({ subject: `${subject} ${i}`, message: "no" }));
}

describe("ProblemBoard", () => {
  test("tells of each change, and not of what was said before", () => {
    const board = new ProblemBoard();
    let changes = 0;
    const end = board.onChange(() => (changes += 1));
    board.set("files", problems(1));
    board.set("files", problems(1));
    board.set("names", []);
    board.set("files", []);
    expect(board.list()).toEqual([]);
    end();
    board.set("files", problems(1));
    expect(changes).toBe(2);
  });

  test("leaves room for the others where one source has very many", () => {
    const board = new ProblemBoard();
    board.set("files", problems(300));
    board.set("HAProxy", problems(2, "HAProxy"));
    const listed = board.list();
    expect(listed).toHaveLength(100);
    expect(listed.slice(0, 2)).toEqual(problems(2, "HAProxy"));
    expect(listed.at(-1)).toEqual({ subject: "files", message: "203 more of the kind; the log has each" });
  });

  test("lists what a message takes, however much was said", () => {
    const board = new ProblemBoard();
    for (let i = 0; i < 5; i++) {
      const long = "x".repeat(5_000);
      board.set(`source ${i}`, [{ subject: long, message: long, remedy: long, severity: "error" }, ...problems(40)]);
    }
    const message = { type: "problems", problems: board.list() };
    expect(problemsSchema.parse(message)).toEqual(message);
  });
});

test("set() masks secrets, which everybody could read", () => {
  const board = new ProblemBoard();
  const url = "http://u:hunter2@h/";
  board.set("a", [{ subject: url, message: `no answer from ${url}`, remedy: `try ${url}` }]);
  expect(JSON.stringify(board.list())).not.toContain("hunter2");
});
