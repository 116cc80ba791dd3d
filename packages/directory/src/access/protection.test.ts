import { expect, test } from "vitest";
import { protectionOf } from "./protection.ts";

const NONE = { mode: "none" } as const;
const TOKEN = { mode: "token" } as const;
const FILES = { cert: "c", key: "k" };
const READ = { cert: "c", key: "k", clientCa: null };

test.each<[string, Parameters<typeof protectionOf>[0], unknown, number]>([
  ["127.0.0.1", {}, { auth: "none", tls: "off" }, 0],
  ["127.0.0.1", { auth: TOKEN }, { auth: "token", tls: "off" }, 0],
  ["127.0.0.1", { tls: FILES }, { auth: "none", tls: READ }, 0],
  ["0.0.0.0", {}, { auth: "token", tls: "own" }, 0],
  ["10.0.0.5", {}, { auth: "token", tls: "own" }, 0],
  ["::", { auth: NONE }, { auth: "none", tls: "own" }, 1],
  ["::", { tls: "off" }, { auth: "token", tls: "off" }, 1],
  ["::", { auth: NONE, tls: "off" }, { auth: "none", tls: "off" }, 2],
  ["::", { tls: { ...FILES, client_ca: "ca" } }, { auth: "token", tls: { ...READ, clientCa: "ca" } }, 0],
])("protectionOf() on %s with %o is %o", (host, settings, expected, warnings) => {
  const found = protectionOf(settings, [
    { host: "127.0.0.1", port: 5430 },
    { host, port: 5430 },
  ]);
  expect(found).toMatchObject(expected as object);
  expect(found.warnings).toHaveLength(warnings);
});
