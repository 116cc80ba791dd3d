import { expect, test } from "vitest";
import { droppedText, messagesQuestion, tracesQuestion } from "./data.ts";

test("droppedText() names each reason with its number, and nothing where nothing was lost", () => {
  expect(droppedText({ rate: 3, queue: 0, full: 1 })).toBe("3 rate, 1 full");
  expect(droppedText({ rate: 0 })).toBeNull();
});

test("tracesQuestion() and messagesQuestion() have keys of their own for each filter", () => {
  const filters = { q: "", service: "", level: "", since: "1h" };
  const keys = [
    tracesQuestion(filters, true).key,
    tracesQuestion({ ...filters, q: "a" }, true).key,
    tracesQuestion(filters, false).key,
    messagesQuestion(filters, true).key,
  ];
  expect(new Set(keys).size).toBe(4);
});
