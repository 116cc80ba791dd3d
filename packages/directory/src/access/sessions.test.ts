import { ROLES } from "@datawire/protocol";
import { afterAll, beforeAll, expect, onTestFinished, test } from "vitest";
import type { Question } from "../testing/guarded.ts";
import { type GuardedInMemory, serveGuardedInMemory } from "../testing/memory/guarded-in-memory.ts";
import { MemoryStore } from "../testing/memory/memory-store.ts";
import { until } from "../testing/memory/served-in-memory.ts";

let guarded: GuardedInMemory;
const tokens = new Map<string, { readonly id: string; readonly token: string }>();

beforeAll(async () => {
  guarded = await serveGuardedInMemory();
  for (const role of ROLES) tokens.set(role, await guarded.create(role));
});
afterAll(() => guarded.stop());

interface Said {
  readonly csrf: string;
  readonly expires: string;
  readonly code: string;
  readonly error: { readonly message: string };
  readonly [field: string]: unknown;
}

async function ask(path: string, question: Question = {}, at = guarded) {
  const { status, body, headers } = await at.ask(path, question);
  const text = String(body);
  return { status, headers, text, json: (text === "" ? {} : JSON.parse(text)) as Said };
}

async function signIn(body: object, at = guarded, cookie?: string) {
  const sent = cookie === undefined ? {} : { headers: { cookie } };
  const { status, headers, json } = await ask("/v1/session", { method: "POST", body, ...sent }, at);
  const setCookie = (headers["set-cookie"] as string | undefined) ?? "";
  return { status, json, setCookie, cookie: setCookie.split(";", 1)[0] ?? "" };
}

const tokenOf = (role: string): string => tokens.get(role)?.token ?? "";
const change = { method: "POST", body: { service: "//by-cookie" } };

test.each([
  ["client", 403, null],
  ["router", 403, null],
  ["viewer", 200, ["read"]],
  ["library", 403, null],
  ["watson", 403, null],
  ["sherlock", 200, ["read"]],
  ["operator", 200, ["read", "change"]],
  ["admin", 200, ["read", "change", "administer"]],
])("a token of role %s signs in with %i, and may %o", async (role, status, rights) => {
  const signed = await signIn({ token: tokenOf(role) });
  expect(signed.status).toBe(status);
  if (rights === null) return expect(signed.setCookie).toBe("");
  const shown = await ask("/v1/session", { headers: { cookie: signed.cookie } });
  const expected = {
    auth: "session",
    role,
    token: tokens.get(role)?.id,
    tenant: null,
    rights,
    expires: expect.any(String),
  };
  expect(shown.json).toEqual({ ...expected, csrf: expect.stringMatching(/^[\w-]{43}$/) });
  expect(signed.json).toEqual(shown.json);
  expect(shown.text).not.toContain(tokenOf(role));
});

test("the cookie is for this directory alone, and out of reach of scripts", async () => {
  const { setCookie } = await signIn({ token: tokenOf("viewer") });
  expect(setCookie).toMatch(/^dw_session=[\w-]{43}; HttpOnly; SameSite=Strict; Path=\/; Max-Age=43200; Secure$/);
});

test("a browser signs in at two directories on one host, whose ports share one cookie, and signs out of each alone", async () => {
  const other = await serveGuardedInMemory();
  onTestFinished(() => other.stop());
  const isSignedIn = async (cookie: string, at = guarded): Promise<boolean> =>
    (await ask("/v1/session", { headers: { cookie } }, at)).status === 200;
  const body = { token: (await other.create("viewer")).token };
  const first = await signIn({ token: tokenOf("viewer") });
  const second = await signIn(body, other, first.cookie);
  expect(second.setCookie).toMatch(
    /^dw_session=[\w-]{43}\.[\w-]{43}; HttpOnly; SameSite=Strict; Path=\/; Max-Age=2592000/,
  );
  expect([await isSignedIn(second.cookie), await isSignedIn(second.cookie, other)]).toEqual([true, true]);

  // Once more, the session of before goes, and a cookie of another path changes nothing.
  const again = await signIn({ token: tokenOf("viewer") }, guarded, `dw_session=${"x".repeat(43)}; ${second.cookie}`);
  expect(await isSignedIn(first.cookie)).toBe(false);
  expect(again.cookie.split(".")).toHaveLength(3);
  expect([await isSignedIn(again.cookie), await isSignedIn(again.cookie, other)]).toEqual([true, true]);

  const headers = { cookie: again.cookie, "x-datawire-csrf": again.json.csrf };
  const out = await ask("/v1/session", { method: "DELETE", headers });
  expect(out.status).toBe(204);
  const left = String(out.headers["set-cookie"]).split(";", 1)[0] ?? "";
  expect([await isSignedIn(left), await isSignedIn(left, other)]).toEqual([false, true]);
  // The word of one directory's session is none at the other.
  const wrong = { ...change, headers: { cookie: again.cookie, "x-datawire-csrf": again.json.csrf } };
  expect((await ask("/v1/services", wrong, other)).status).toBe(403);
});

test("a change by cookie needs the word of its session, and the role", async () => {
  const { cookie, json } = await signIn({ token: tokenOf("operator") });
  expect(await ask("/v1/services", { ...change, headers: { cookie } })).toMatchObject({ status: 403 });
  const wrong = { cookie, "x-datawire-csrf": "x".repeat(43) };
  const refused = await ask("/v1/services", { ...change, headers: wrong });
  expect(refused).toMatchObject({
    status: 403,
    json: { error: { message: expect.stringContaining("X-Datawire-CSRF") } },
  });
  const right = { cookie, "x-datawire-csrf": json.csrf };
  expect(await ask("/v1/services", { ...change, headers: right })).toMatchObject({
    status: 200,
    json: { changed: true },
  });
  const viewer = await signIn({ token: tokenOf("viewer") });
  const headers = { cookie: viewer.cookie, "x-datawire-csrf": viewer.json.csrf };
  expect((await ask("/v1/services", { ...change, headers })).status).toBe(403);
  expect((await ask("/v1/tokens", { headers })).status).toBe(403);
});

test("signing out ends the session, and needs its word", async () => {
  const { cookie, json } = await signIn({ token: tokenOf("viewer") });
  expect((await ask("/v1/session", { method: "DELETE", headers: { cookie } })).status).toBe(403);
  const headers = { cookie, "x-datawire-csrf": json.csrf };
  const ended = await ask("/v1/session", { method: "DELETE", headers });
  expect(ended).toMatchObject({ status: 204, text: "" });
  expect(ended.headers["set-cookie"]).toContain("dw_session=; ");
  expect((await ask("/v1/services", { headers })).status).toBe(401);
  expect((await ask("/v1/session", { headers })).status).toBe(401);
});

test.each(["token", "code"] as const)(
  "who signs in again by a %s ends the session that the browser had",
  async (by) => {
    const before = await signIn({ token: tokenOf("admin") });
    const elsewhere = await signIn({ token: tokenOf("admin") });
    const made = await ask("/v1/session/codes", { method: "POST", body: {}, token: tokenOf("viewer") });
    const body = by === "code" ? { code: made.json.code } : { token: tokenOf("viewer") };
    // What is refused ends nothing.
    expect((await signIn({ code: "wrong" }, guarded, before.cookie)).status).toBe(401);
    expect((await ask("/v1/services", { headers: { cookie: before.cookie } })).status).toBe(200);
    const after = await signIn(body, guarded, before.cookie);
    const statusOf = async (cookie: string) => (await ask("/v1/services", { headers: { cookie } })).status;
    expect(await Promise.all([before, elsewhere, after].map(({ cookie }) => statusOf(cookie)))).toEqual([
      401, 200, 200,
    ]);
  },
);

test("signing out ends all sessions that the browser brings, one for each path of a cookie", async () => {
  const [first, second] = [await signIn({ token: tokenOf("viewer") }), await signIn({ token: tokenOf("viewer") })];
  const cookie = `${first.cookie}; ${second.cookie}`;
  const headers = { cookie, "x-datawire-csrf": first.json.csrf };
  expect((await ask("/v1/session", { method: "DELETE", headers })).status).toBe(204);
  expect((await ask("/v1/session", { headers: { cookie } })).status).toBe(401);
});

test("a session ends with its token", async () => {
  const { id, token } = await guarded.create("viewer");
  const { cookie } = await signIn({ token });
  expect((await ask("/v1/services", { headers: { cookie } })).status).toBe(200);
  await guarded.tokens.revoke(id, { tenant: null });
  expect((await ask("/v1/services", { headers: { cookie } })).status).toBe(401);
  const brief = await guarded.create("viewer", { expiresMs: guarded.clock.nowMs() + 5_000 });
  const session = await signIn({ token: brief.token });
  expect(Date.parse(session.json.expires)).toBe(guarded.clock.nowMs() + 5_000);
  await guarded.clock.advance(5_001);
  expect((await ask("/v1/services", { headers: { cookie: session.cookie } })).status).toBe(401);
});

test("who asks by a token is told of it, who asks by nothing is nobody and is never asked to wait", async () => {
  expect((await ask("/v1/session", { token: tokenOf("watson") })).json).toMatchObject({
    auth: "token",
    role: "watson",
    rights: [],
    csrf: null,
  });
  for (let i = 0; i < 40; i++) expect((await ask("/v1/session")).status).toBe(401);
});

test("a code signs in once, within a minute, as whoever made it", async () => {
  const made = await ask("/v1/session/codes", { method: "POST", body: {}, token: tokenOf("viewer") });
  expect(made).toMatchObject({ status: 200, json: { url: null } });
  const { code } = made.json;
  const both = await Promise.all([signIn({ code }), signIn({ code })]);
  expect(both.map(({ status }) => status).toSorted((a, b) => a - b)).toEqual([200, 401]);
  expect(both.find(({ status }) => status === 200)?.json).toMatchObject({
    role: "viewer",
    token: tokens.get("viewer")?.id,
  });
  const late = await ask("/v1/session/codes", { method: "POST", body: {}, token: tokenOf("viewer") });
  await guarded.clock.advance(60_000);
  expect((await signIn({ code: late.json.code })).status).toBe(401);
  expect((await ask("/v1/session/codes", { method: "POST", body: {}, token: tokenOf("watson") })).status).toBe(403);
});

test("a restart keeps sessions, of which the store has nothing but hashes", async () => {
  const store = new MemoryStore();
  const stores = { open: async () => store, listTenants: async () => [] };
  const first = await serveGuardedInMemory(stores);
  const { token } = await first.create("operator");
  const { cookie, json } = await signIn({ token }, first);
  await first.stop();
  const second = await serveGuardedInMemory(stores);
  const headers = { cookie, "x-datawire-csrf": json.csrf };
  expect((await ask("/v1/services", { ...change, headers }, second)).status).toBe(200);
  const kept = JSON.stringify((await until(second.clock, store.load())).records);
  expect(kept).toContain("access/session/");
  expect(kept).not.toContain(cookie.slice("dw_session=".length));
  expect(kept).not.toContain(json.csrf);
  await second.stop();
});

test("a token of which there are many sessions has its oldest ended", async () => {
  const { token } = await guarded.create("viewer");
  const first = await signIn({ token });
  for (let i = 0; i < 100; i++) {
    await guarded.clock.advance(1);
    expect((await signIn({ token })).status).toBe(200);
  }
  expect((await ask("/v1/services", { headers: { cookie: first.cookie } })).status).toBe(401);
});

// Last: from then on this address is told to wait instead of why.
test("wrong tokens are 401, and a flood of them is paced; one that holds is taken all the same", async () => {
  expect((await signIn({ token: "dw1_x" })).status).toBe(401);
  const wrong = `dw1_${"x".repeat(43)}`;
  const statuses = new Set<number>();
  for (let i = 0; i < 30; i++) statuses.add((await signIn({ token: wrong })).status);
  expect(statuses).toEqual(new Set([401, 429]));
  expect((await signIn({ token: tokenOf("viewer") })).status).toBe(200);
  expect((await signIn({})).status).toBe(400);
});
