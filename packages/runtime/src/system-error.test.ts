import { expect, test } from "vitest";
import { explainSystemError, listenError, systemErrorCode } from "./system-error.ts";

const systemError = (code: string): Error => Object.assign(new Error(`listen ${code}: as Node puts it`), { code });

test.each([
  ["EADDRINUSE", /^Cannot listen on 127\.0\.0\.1:5431 \(--admin\): the port is in use by another process/],
  ["EACCES", /ports below 1024 need root/],
  ["EADDRNOTAVAIL", /this machine has no such address/],
  ["ENOTFOUND", /the name has no address/],
  ["EOTHER", /listen EOTHER: as Node puts it$/],
])("listenError() of %s says what to do", (code, expected) => {
  expect(listenError(systemError(code), { host: "127.0.0.1", port: 5431 }, "--admin").message).toMatch(expected);
});

test("explainSystemError() falls back on the error's own message", () => {
  expect(explainSystemError(systemError("ENOENT"))).toBe("no such file or folder");
  expect(explainSystemError(new Error("own"))).toBe("own");
  expect(explainSystemError("text")).toBe("text");
});

test("systemErrorCode() knows only errors with a code", () => {
  expect(systemErrorCode(systemError("ENOENT"))).toBe("ENOENT");
  expect(systemErrorCode(new Error("own"))).toBeUndefined();
  expect(systemErrorCode({ code: "ENOENT" })).toBeUndefined();
});
