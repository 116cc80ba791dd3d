import { expect, test } from "vitest";
import { explainSystemError, fileError, listenError, systemErrorCode } from "./system-error.ts";

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

test.each([
  [
    "ENOSPC",
    "Cannot write /run/x/y: no space left on the device; free some (`df -h /run/x` shows how much there is), or name another folder",
  ],
  ["EROFS", "Cannot write /run/x/y: the file system is read-only; name another folder, or let it be written"],
  ["EACCES", "Cannot write /run/x/y: permission denied; wanted a folder that this user"],
  ["EISDIR", "Cannot write /run/x/y: it is a folder, wanted a file"],
  ["EMFILE", "Cannot write /run/x/y: too many open files in this process; raise its limit (LimitNOFILE)"],
  ["ERR_SSL_WRONG_VERSION_NUMBER", "Cannot write /run/x/y: the other side speaks no TLS"],
  ["ERR_SSL_TLSV1_ALERT_UNKNOWN_CA", "Cannot write /run/x/y: TLS failed: tlsv1 alert unknown ca"],
])("fileError() of %s says what, where, why and what helps", (code, expected) => {
  expect(fileError("write", "/run/x/y", systemError(code)).message).toContain(expected);
});
