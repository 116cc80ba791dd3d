import { ROLES, type Role } from "@datawire/protocol";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type Guarded, serveGuarded } from "../testing/guarded.ts";

let guarded: Guarded;
beforeAll(async () => {
  guarded = await serveGuarded();
});
afterAll(() => guarded.stop());

const span = (traceId: string, name: string) => ({
  resourceSpans: [
    {
      resource: { attributes: [{ key: "service.name", value: { stringValue: "shop" } }] },
      scopeSpans: [
        {
          spans: [
            {
              traceId,
              spanId: "00000000000000a1",
              name,
              startTimeUnixNano: "1796011228000000000",
              endTimeUnixNano: "1796011228250000000",
            },
          ],
        },
      ],
    },
  ],
});
const post = (token: string, path: string, body: unknown) => guarded.ask(path, { token, method: "POST", body });
const read = async (token: string, path: string): Promise<{ status: number; text: string }> => {
  const { status, body } = await guarded.ask(path, { token });
  return { status, text: body.toString() };
};

const WRITES: ReadonlySet<Role> = new Set(ROLES.filter((role) => role !== "viewer"));
const READS: ReadonlySet<Role> = new Set(["viewer", "library", "sherlock", "operator", "admin"]);

test.each(ROLES)("a token of role %s may write and read traces as its role says", async (role) => {
  const { token } = await guarded.create(role);
  const written = WRITES.has(role) ? 200 : 403;
  const shown = READS.has(role) ? 200 : 403;
  expect((await post(token, "/v1/traces", span("a".repeat(32), "any"))).status).toBe(written);
  expect((await post(token, "/v1/logs", { resourceLogs: [] })).status).toBe(written);
  expect((await post(token, "/v1/metrics", { resourceMetrics: [] })).status).toBe(written);
  for (const path of ["/v1/traces", "/v1/logs"])
    expect([path, (await read(token, path)).status]).toEqual([path, shown]);
});

test("without a token nothing is taken and nothing told", async () => {
  for (const method of ["GET", "POST"]) {
    const { status } = await guarded.ask("/v1/traces", { method, ...(method === "POST" ? { body: {} } : {}) });
    expect([method, status]).toEqual([method, 401]);
  }
});

test("a tenant sees nothing of another, and nobody without a tenant sees theirs", async () => {
  const [acme, other, none] = await Promise.all(
    ["acme", "other", null].map(async (tenant) => (await guarded.create("operator", { tenant })).token),
  );
  const traceId = "b".repeat(32);
  expect((await post(acme ?? "", "/v1/traces", span(traceId, "secret"))).status).toBe(200);
  const paths = [`/v1/traces/${traceId}`, "/v1/traces", "/v1/traces?q=secret", "/v1/logs?q=secret"];
  for (const path of paths) {
    for (const token of [other, none]) expect((await read(token ?? "", path)).text).not.toContain("secret");
  }
  expect((await read(acme ?? "", `/v1/traces/${traceId}`)).text).toContain("secret");
  expect((await post(acme ?? "", "/v1/traces", span("short", "rejected"))).status).toBe(200);
  expect((await read(acme ?? "", "/v1/traces")).text).toContain('"dropped":{"malformed":1}');
  expect((await read(other ?? "", "/v1/traces")).text).toContain('"dropped":{}');
});

test("a trace that has gained nothing is not told again to who has it", async () => {
  const { token } = await guarded.create("operator");
  const traceId = "c".repeat(32);
  const path = `/v1/traces/${traceId}`;
  const known = (tag: string) => guarded.ask(path, { token, headers: { "if-none-match": tag } });
  await post(token, "/v1/traces", span(traceId, "first"));
  const first = await guarded.ask(path, { token });
  const tag = String(first.headers["etag"]);
  expect(tag).toMatch(/^"[\w-]{22}"$/);
  for (const same of [tag, `W/${tag}`, `"other", ${tag}`]) {
    const { status, body, headers } = await known(same);
    expect([status, body.length, headers["etag"]]).toEqual([304, 0, tag]);
  }
  await post(token, "/v1/traces", span(traceId, "second"));
  const grown = await known(tag);
  expect([grown.status, JSON.parse(grown.body.toString())]).toMatchObject([200, { spans: [{}, {}] }]);
  expect((await known(String(grown.headers["etag"]))).status).toBe(304);
  expect((await guarded.ask(`/v1/traces/${"d".repeat(32)}`, { token })).status).toBe(404);
});

test("the interface answers in the shapes that it describes", async () => {
  const { token } = await guarded.create("operator");
  const page = JSON.parse((await read(token, "/v1/traces?limit=1")).text) as Record<string, unknown>;
  expect(Object.keys(page).toSorted()).toEqual(["dropped", "missing", "next", "traces"]);
  const logs = JSON.parse((await read(token, "/v1/logs")).text) as Record<string, unknown>;
  expect(Object.keys(logs).toSorted()).toEqual(["dropped", "events", "missing", "next", "tail"]);
  const shown = JSON.parse((await read(token, `/v1/traces/${"A".repeat(32)}`)).text) as Record<string, unknown>;
  expect(shown).toMatchObject({ traceId: "a".repeat(32), partial: false, events: [] });
});
