import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { startChild } from "./harness/child.ts";

/** What `npm run demo` runs once it has set the checkout up; without a terminal it does not stay up. */
test("the demo shows what it promises", async () => {
  const { PATH } = process.env;
  const demo = startChild(join(import.meta.dirname, "../examples/demo.ts"), [], { PATH, HOME: tmpdir() });
  const exit = await demo.exited;
  expect({ ...exit, said: demo.lines.join("\n") }).toMatchObject({
    code: 0,
    said: expect.stringContaining("version 2 got"),
  });
});
