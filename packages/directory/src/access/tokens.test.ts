import { expect, test } from "vitest";
import { grantOf, requireRight } from "./grant.ts";
import { mayRegister, requireLink } from "../link/clients/rights.ts";
import { Tokens } from "./tokens.ts";
import type { TokenRecord } from "../store/token-record.ts";

const record = (fields: Partial<TokenRecord> = {}): TokenRecord => ({
  id: "1a2b3c4d",
  hash: "hash",
  role: "watson",
  services: null,
  send: null,
  listen: null,
  hosts: null,
  scram: null,
  tenant: null,
  createdMs: 0,
  createdBy: "me",
  expiresMs: null,
  ...fields,
});

test("find() gives the token until it is revoked", () => {
  const tokens = new Tokens();
  tokens.set("1a2b3c4d", record());
  expect(tokens.find("hash", 0)).toEqual(record());
  expect(tokens.ended("1a2b3c4d", 0)).toBeNull();
  tokens.set("1a2b3c4d", null);
  expect(() => tokens.find("hash", 0)).toThrow("it is unknown here");
  expect(tokens.ended("1a2b3c4d", 0)).toBe("the token 1a2b3c4d was revoked");
});

test("find() refuses a token from the moment that it expires", () => {
  const tokens = new Tokens();
  tokens.set("1a2b3c4d", record({ expiresMs: 1_000 }));
  expect(tokens.find("hash", 999).id).toBe("1a2b3c4d");
  expect(() => tokens.find("hash", 1_000)).toThrow("the token 1a2b3c4d expired at 1970-01-01T00:00:01.000Z");
  expect(tokens.ended("1a2b3c4d", 1_000)).toContain("expired");
});

test("list() shows a tenant its own tokens alone", () => {
  const tokens = new Tokens();
  tokens.set("a", record({ id: "a", hash: "1" }));
  tokens.set("b", record({ id: "b", hash: "2", tenant: "acme" }));
  expect(tokens.list("acme").map(({ id }) => id)).toEqual(["b"]);
  expect(tokens.list(null).map(({ id }) => id)).toEqual(["a", "b"]);
  expect([...tokens.tenants()]).toEqual(["acme"]);
});

test("list() gives tokens in the order of their making, those of one moment by their role", () => {
  const tokens = new Tokens();
  const made = [
    ["f", "watson", 1],
    ["e", "admin", 5],
    ["d", "watson", 5],
    ["c", "sherlock", 5],
    ["b", "operator", 5],
    ["a", "watson", 5],
  ] as const;
  for (const [id, role, createdMs] of made.toReversed()) tokens.set(id, record({ id, hash: id, role, createdMs }));
  expect(tokens.list(null).map(({ id }) => id)).toEqual(["f", "e", "b", "c", "a", "d"]);
});

test("requireRight() says which right is missing, and which roles have it", () => {
  expect(() => requireRight(grantOf(record({ role: "sherlock" })), "change", "POST /v1/routes")).toThrow(
    "Cannot POST /v1/routes: the token 1a2b3c4d of role sherlock lacks the right to change routes, services and instances; wanted one of role operator or admin",
  );
});

const hello = { type: "hello", link: { min: 1, max: 1 }, name: "vm", id: "12345678", version: "1" } as const;
const whole = { services: null, have: null };

test.each([
  ["client", "sherlock", whole, false],
  ["client", "watson", null, false],
  ["client", "dw", null, false],
  ["router", "library", whole, true],
  ["router", "watson", null, false],
  ["router", "router", whole, true],
  ["library", "router", whole, false],
  ["sherlock", "router", whole, false],
  ["client", "router", null, false],
  ["viewer", "dw", whole, true],
  ["viewer", "watson", null, false],
  ["library", "library", whole, true],
  ["library", "watson", null, true],
  ["watson", "watson", null, true],
  ["watson", "watson", whole, false],
  ["watson", "sherlock", whole, false],
  ["watson", "dw", null, false],
  ["sherlock", "sherlock", whole, true],
  ["sherlock", "watson", null, false],
  ["operator", "dw", whole, true],
  ["operator", "watson", null, false],
  ["admin", "watson", whole, true],
] as const)(
  "requireLink() with a token of role %s for a %s subscribing to %o: %s",
  (role, kind, subscribe, allowed) => {
    const require = () => requireLink(grantOf(record({ role })), { ...hello, kind, subscribe }, []);
    if (allowed) expect(require).not.toThrow();
    else expect(require).toThrow(/^Cannot accept the/);
  },
);

test("mayRegister() goes by the patterns of the token", () => {
  const grant = grantOf(record({ services: ["billing-*", "mail"] }));
  expect(["billing-api", "mail", "mailer"].map((name) => mayRegister(grant, name))).toEqual([true, true, false]);
  expect(mayRegister(grantOf(record()), "anything")).toBe(true);
});
