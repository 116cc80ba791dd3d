import { expect, test } from "vitest";
import { fieldsTopic } from "./topic.ts";

test("fieldsTopic() tells of the fields alone that have changed, and of nothing where none has", () => {
  let row = { now: 1, counts: { services: 1 }, problems: ["a"] };
  const topic = fieldsTopic({ everyMs: 0, whole: () => row, compared: (one) => ({ ...one, now: 0 }) });
  expect(topic.whole()).toEqual(row);
  row = { ...row, now: 2 };
  expect(topic.changes()).toBeNull();
  row = { ...row, now: 3, counts: { services: 2 } };
  expect(topic.changes()).toEqual({ changed: [{ counts: { services: 2 } }], gone: [] });
  row = { now: 4, counts: { services: 1 }, problems: [] };
  expect(topic.changes()).toEqual({ changed: [{ counts: { services: 1 }, problems: [] }], gone: [] });
  expect(topic.changes()).toBeNull();
});
