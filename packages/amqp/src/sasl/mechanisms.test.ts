import { expect, test } from "vitest";
import { createSaslServer, type SaslServerOptions } from "./mechanisms.ts";
import type { SaslStep } from "./contract.ts";

const all: SaslServerOptions = {
  external: "vm101",
  scram: { find: (_, answer) => answer(null), nonce: () => "n".repeat(18), secret: new Uint8Array(4) },
  plain: (user, password, answer) => answer(user === "bob" && password === "secret" ? "bob" : null),
  anonymous: "anonymous",
};

test("createSaslServer() has the mechanisms that are given, the best first", () => {
  expect(createSaslServer(all).mechanisms).toEqual(["EXTERNAL", "SCRAM-SHA-256", "PLAIN", "ANONYMOUS"]);
  expect(createSaslServer({}).mechanisms).toEqual([]);
  expect(createSaslServer({ anonymous: "a" }).begin("PLAIN")).toBe(null);
});

test.each<[string, string, string, string | null]>([
  ["takes a password", "PLAIN", "\0bob\0secret", "bob"],
  ["takes a user who wants to be itself", "PLAIN", "bob\0bob\0secret", "bob"],
  ["refuses one who wants to be another", "PLAIN", "root\0bob\0secret", null],
  ["refuses a wrong password", "PLAIN", "\0bob\0secre", null],
  ["refuses a password with more after it", "PLAIN", "\0bob\0secret\0", null],
  ["refuses what is no password at all", "PLAIN", "bob", null],
  ["refuses nothing", "PLAIN", "", null],
  ["takes a certified peer", "EXTERNAL", "", "vm101"],
  ["takes a certified peer by its name", "EXTERNAL", "vm101", "vm101"],
  ["refuses a certified peer by another name", "EXTERNAL", "vm102", null],
  ["takes anybody", "ANONYMOUS", "trace@example.com", "anonymous"],
])("createSaslServer() %s: %s %j", (_, mechanism, said, identity) => {
  const steps: SaslStep[] = [];
  createSaslServer(all)
    .begin(mechanism)
    ?.respond(new TextEncoder().encode(said), (step) => steps.push(step));
  expect(steps).toEqual([identity === null ? { state: "failed" } : { state: "authenticated", identity }]);
});
