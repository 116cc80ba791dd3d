import { existsSync } from "node:fs";
import { expect, test } from "vitest";
import { findHaproxy } from "./haproxy-binary.ts";

const IN_SBIN = "/usr/sbin/haproxy";

test.runIf(existsSync(IN_SBIN)).each([null, "haproxy"])(
  "findHaproxy() finds %s where packages put it, which the PATH of a service may not have",
  async (command) => {
    expect((await findHaproxy(command, "/nowhere")).path).toBe(IN_SBIN);
  },
);

test("findHaproxy() takes no HAProxy for a program of another name", async () => {
  await expect(findHaproxy("haproxy-of-nobody", "/nowhere")).rejects.toThrow(
    "Cannot find HAProxy: haproxy-of-nobody (haproxy.command) is not in PATH, wanted the path of its program",
  );
});
