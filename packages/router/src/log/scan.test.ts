import { expect, test } from "vitest";
import { ScanBuffer } from "./scan.ts";

test("ScanBuffer.take() gives one buffer for all that it is large enough for, and holds little more than was asked for", () => {
  const buffer = new ScanBuffer();
  const first = buffer.take(3_000);
  expect(first.length).toBe(3_000);
  expect(buffer.take(2_000)).toBe(first);
  const second = buffer.take(3_001);
  expect(second.length).toBe(6_000);
  expect(buffer.take(6_000)).toBe(second);
});
