import { type Endpoint, endpoints, rightOf } from "@datawire/api";
import { ROLES } from "@datawire/protocol";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { Question } from "../testing/guarded.ts";
import { type GuardedInMemory, serveGuardedInMemory } from "../testing/memory/guarded-in-memory.ts";
import { hello } from "../testing/served.ts";
import { registration } from "../testing/worlds.ts";
import { hasRight } from "./rights.ts";

/** Who may do what, over every endpoint that there is, so that a new one cannot be forgotten. */

const ALL = Object.entries(endpoints) as readonly (readonly [string, Endpoint])[];
/** Those that let everybody ask, and look themselves. */
const isSession = ({ path }: Endpoint): boolean => path === "/v1/session";
const CHANGES = ALL.filter(([, one]) => one.method !== "GET" && !isSession(one));
const READS = ALL.filter(([, one]) => one.method === "GET" && one.answer !== "events" && !isSession(one));

/** What stands for a name in a path: things that are there. */
const PARAMS: Readonly<Record<string, string>> = { service: "shop-of-acme", trace: "a".repeat(32), rollout: "1" };

/** A body with which the change would be made. */
const BODIES: Readonly<Record<string, object>> = {
  addService: { service: "//new" },
  setService: { failover: "none" },
  promoteService: { generation: "2" },
  drainInstance: { instance: "//shop-of-acme@vm1" },
  resumeInstance: { instance: "//shop-of-acme@vm1" },
  addRoute: { source: "//monolith", target: "//shop-of-acme(2)", percent: 10, ahead: true },
  setRoutes: { source: "//monolith", targets: [{ target: "//shop-of-acme(2)", percent: 10 }], ahead: true },
  removeRoute: { source: "//monolith", target: "//shop-of-acme(2)" },
  startRollout: { target: "//shop-of-acme(2)" },
  createToken: { role: "admin" },
};

let guarded: GuardedInMemory;
let tenants: Readonly<Record<"acme" | "other", { readonly token: string }>>;

beforeAll(async () => {
  guarded = await serveGuardedInMemory();
  const token = async (tenant: string | null) => ({ token: (await guarded.create("admin", { tenant })).token });
  tenants = { acme: await token("acme"), other: await token("other") };
  await settle("acme");
});
afterAll(() => guarded.stop());

/** Gives a tenant something of everything that can be read: all of it has the tenant's name in it. */
async function settle(tenant: "acme"): Promise<void> {
  const watson = await guarded.create("watson", { tenant });
  const link = await guarded.link(watson.token, hello("watson", `vm-of-${tenant}`) as never);
  const instances = ["1", "2"].map((version) => registration(`shop-of-${tenant}@vm${version}:${version}`));
  link.send({ type: "register", seq: 1, instances });
  await link.next("registered");
  const sherlock = await guarded.create("sherlock", { tenant });
  const subscribe = { services: null, have: null };
  const caller = await guarded.link(sherlock.token, hello("sherlock", `caller-of-${tenant}`, { subscribe }) as never);
  await caller.next("snapshot");
  const admin = tenants[tenant].token;
  const route = { source: `//caller-of-${tenant}`, target: `//shop-of-${tenant}(2)`, percent: 10 };
  expect((await ask("/v1/routes", { token: admin, method: "POST", body: route })).status).toBe(200);
  const span = {
    traceId: "a".repeat(32),
    spanId: "b".repeat(16),
    name: `work-of-${tenant}`,
    startTimeUnixNano: `${guarded.clock.nowMs()}000000`,
    endTimeUnixNano: `${guarded.clock.nowMs()}000000`,
  };
  const traces = { resourceSpans: [{ scopeSpans: [{ spans: [span] }] }] };
  await ask("/v1/traces", { token: admin, method: "POST", body: traces });
}

async function ask(path: string, question: Question) {
  const { status, body, headers } = await guarded.ask(path, question);
  return { status, headers, text: String(body) };
}

const pathOf = ({ path }: Endpoint): string => path.replace(/\{(\w+)\}/g, (_, name: string) => PARAMS[name] ?? "x");

/** All that an admin of a tenant can read of it, but what moves by itself. */
async function everything(token: string): Promise<string> {
  const paths = ["/v1/table", "/v1/routes", "/v1/routes/history", "/v1/rollouts", "/v1/tokens", "/v1/routers"];
  return (await Promise.all(paths.map(async (path) => (await ask(path, { token })).text))).join("\n");
}

async function signIn(token: string) {
  const { text, headers } = await ask("/v1/session", { method: "POST", body: { token } });
  const cookie = String(headers["set-cookie"]).split(";", 1)[0] ?? "";
  return { cookie, csrf: (JSON.parse(text) as { readonly csrf: string }).csrf };
}

test("there are changes and reads to walk over", () => {
  expect(CHANGES.length).toBeGreaterThan(20);
  expect(READS.length).toBeGreaterThan(20);
});

test.each(["token", "session"])("a viewer can change nothing by any request, with its %s", async (by) => {
  const { token } = await guarded.create("viewer", { tenant: "acme" });
  const { cookie, csrf } = await signIn(token);
  const proof = by === "token" ? { token } : { headers: { cookie, "x-datawire-csrf": csrf } };
  const before = await everything(tenants.acme.token);
  for (const [name, endpoint] of CHANGES) {
    const { status } = await ask(pathOf(endpoint), { ...proof, method: endpoint.method, body: BODIES[name] ?? {} });
    // Whoever may read may open the console in a browser, and that alone.
    expect([name, status]).toEqual([name, name === "createSessionCode" ? 200 : 403]);
  }
  // Nor by a method that no endpoint has.
  for (const [, endpoint] of READS)
    for (const method of ["PUT", "DELETE", "PATCH"])
      expect((await ask(pathOf(endpoint), { ...proof, method, body: {} })).status).toBeGreaterThanOrEqual(400);
  expect(await everything(tenants.acme.token)).toBe(before);
});

test("no change is made by a cookie without the word of its session, or with another's", async () => {
  const { cookie } = await signIn(tenants.acme.token);
  const other = await signIn(tenants.acme.token);
  const before = await everything(tenants.acme.token);
  for (const [name, endpoint] of [...CHANGES, ["endSession", endpoints.endSession] as const])
    for (const word of [undefined, "", "x".repeat(43), other.csrf]) {
      const headers = { cookie, ...(word !== undefined && { "x-datawire-csrf": word }) };
      const { status } = await ask(pathOf(endpoint), { headers, method: endpoint.method, body: BODIES[name] ?? {} });
      expect([name, status]).toEqual([name, 403]);
    }
  expect(await everything(tenants.acme.token)).toBe(before);
  expect((await ask("/v1/session", { headers: { cookie } })).status).toBe(200);
});

test("each endpoint lets in the roles that have its right, and no others", async () => {
  for (const role of ROLES) {
    const { token } = await guarded.create(role, { tenant: "other" });
    for (const [name, endpoint] of ALL) {
      const right = rightOf(endpoint);
      if (right === "none" || endpoint.answer === "events") continue;
      const { status } = await ask(pathOf(endpoint), {
        token,
        method: endpoint.method,
        ...(endpoint.method !== "GET" && { body: {} }),
      });
      // What is asked for may be wrong, but not who asks.
      if (hasRight(role, right)) expect([401, 403], `${role} ${name}`).not.toContain(status);
      else expect([role, name, status]).toEqual([role, name, 403]);
    }
  }
});

test("nobody without a proof is answered by any endpoint", async () => {
  for (const [name, endpoint] of ALL.filter(([, one]) => !isSession(one))) {
    const body = endpoint.method === "GET" ? {} : { body: BODIES[name] ?? {} };
    const { status } = await ask(pathOf(endpoint), { method: endpoint.method, ...body });
    expect([name, status]).toEqual([name, 401]);
  }
});

test("a tenant sees nothing of another by any read", async () => {
  const seen: string[] = [];
  for (const [name, endpoint] of READS) {
    const own = await ask(pathOf(endpoint), { token: tenants.acme.token });
    // Names and texts of others are in it: no browser is to take it for a page.
    expect([name, own.headers["x-content-type-options"]]).toEqual([name, "nosniff"]);
    if (/of-acme/.test(own.text)) seen.push(name);
    const queries = ["", "?environment=acme", "?q=work-of-acme", "?caller=caller-of-acme&service=shop-of-acme"];
    for (const query of queries) {
      const answer = await ask(pathOf(endpoint) + query, { token: tenants.other.token });
      // What was asked for is in the words of a refusal, and of an explanation of nothing.
      const told = answer.status === 200 ? answer.text : "";
      expect([name, query, /of-acme/.test(told)]).toEqual([name, query, false]);
    }
  }
  // What is looked for is there to be seen.
  expect(seen).toEqual(
    expect.arrayContaining([
      "listServices",
      "showService",
      "listInstances",
      "listRoutes",
      "history",
      "listCallers",
      "table",
    ]),
  );
});
