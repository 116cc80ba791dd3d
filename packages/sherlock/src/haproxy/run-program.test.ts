import { expect, test } from "vitest";
import { runProgram } from "./run-program.ts";

const MS_MAX = 60_000;
const sh = (script: string, msMax = MS_MAX) => runProgram("/bin/sh", ["-c", script], msMax);

test("runProgram() gives what a program says, and how it ends", async () => {
  expect(await sh("echo out; echo err >&2")).toEqual({ ok: true, stdout: "out\n", stderr: "err\n", how: "" });
  expect(await sh("echo no >&2; exit 3")).toEqual({ ok: false, stdout: "", stderr: "no\n", how: "ended with 3" });
  expect(await sh("kill -TERM $$")).toMatchObject({ ok: false, how: "ended with SIGTERM" });
});

test("runProgram() tells a program that cannot be started", async () => {
  const ran = await runProgram("/nonexistent/haproxy", ["-v"], MS_MAX);
  expect(ran).toMatchObject({ ok: false, how: "cannot be run", cause: { code: "ENOENT" } });
});

test("runProgram() kills a program that does not end", async () => {
  expect(await sh("exec sleep 1000", 50)).toMatchObject({ ok: false, how: "did not end within 50 ms" });
});

test("runProgram() bounds what it keeps", async () => {
  expect(await sh("exec yes")).toMatchObject({ ok: false, how: "said more than 16777216 bytes" });
});
