import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { Replicas } from "./harness/replicas.ts";
import { Stack } from "./harness/stack.ts";
import { eventually } from "./harness/wait.ts";

/** Sessions of the console over two directories on one etcd, of two tenants. */

let stack: Stack;
let replicas: Replicas;
beforeEach(async () => {
  stack = new Stack();
  replicas = await Replicas.start(stack, 2, { settings: { auth: { mode: "token" } }, args: ["-l", "debug"] });
});
afterEach(async () => {
  await stack.dispose();
  await replicas?.dispose();
});

interface Answer {
  readonly status: number;
  readonly cookie: string;
  readonly json: Readonly<Record<string, string>>;
}

async function ask(at: number, path: string, how: { method?: string; headers?: object; body?: object } = {}) {
  const { method = "GET", headers = {}, body } = how;
  const response = await fetch(replicas.url(at) + path, {
    method,
    headers: { ...(body !== undefined && { "content-type": "application/json" }), ...headers },
    ...(body !== undefined && { body: JSON.stringify(body) }),
  });
  const text = await response.text();
  const cookie = (response.headers.get("set-cookie") ?? "").split(";", 1)[0] ?? "";
  const answer: Answer = { status: response.status, cookie, json: text === "" ? {} : JSON.parse(text) };
  return answer;
}

const bearer = (token: string | undefined) => ({ authorization: `Bearer ${token}` });

/** Follows a stream; what came so far, and whether it has ended. */
async function follow(at: number, topics: string, cookie: string) {
  const response = await fetch(`${replicas.url(at)}/v1/stream?topics=${topics}`, { headers: { cookie } });
  expect(response.status).toBe(200);
  const stream = { text: "", ended: false };
  void (async () => {
    for await (const part of response.body!.pipeThrough(new TextDecoderStream())) stream.text += part;
    stream.ended = true;
  })().catch(() => {}); // cut with the directory, where the test has failed before
  return stream;
}

const TOPICS = "status,services,service/shop-of-acme,callers,map,rollouts,history,traces,logs";

test("who signs in at one is signed in at the other, sees one's own tenant, and is out of both with the token", async () => {
  const files = [0, 1].map((i) => join(replicas.folder(i), "admin.token"));
  await eventually(() => expect(files.some((file) => existsSync(file))).toBe(true));
  const admin = bearer(readFileSync(files.find((file) => existsSync(file)) ?? "", "utf8").trim());
  // On a busy machine etcd may be out of reach for a moment, and nothing is written then.
  const post = (path: string, body: object, headers: Record<string, string> = {}) =>
    eventually(async () => {
      const answer = await ask(0, path, { method: "POST", headers, body });
      expect(answer.status).not.toBe(503);
      return answer;
    });
  const create = async (role: string, tenant: string) => (await post("/v1/tokens", { role, tenant }, admin)).json;
  const [viewer, operator, stranger] = [
    await create("viewer", "acme"),
    await create("operator", "acme"),
    await create("operator", "other"),
  ];

  const signed = await post("/v1/session", { token: viewer["token"] });
  expect(signed).toMatchObject({ status: 200, json: { auth: "session", role: "viewer", tenant: "acme" } });
  const headers = { cookie: signed.cookie };
  await eventually(async () => expect((await ask(1, "/v1/session", { headers })).json).toEqual(signed.json));

  await ask(1, "/v1/services", {
    method: "POST",
    headers: bearer(operator["token"]),
    body: { service: "//shop-of-acme" },
  });
  const stream = await follow(1, TOPICS, signed.cookie);
  // What others do at either of them is nothing of this tenant's.
  const now = Date.now();
  const span = {
    traceId: "a".repeat(32),
    spanId: "b".repeat(16),
    name: "hidden-work",
    startTimeUnixNano: `${now}000000`,
  };
  for (const [at, who] of [
    [0, bearer(stranger["token"])],
    [1, bearer(stranger["token"])],
    [0, admin],
  ] as const) {
    await ask(at, "/v1/services", { method: "POST", headers: who, body: { service: `//hidden-${now}-${at}` } });
    const body = { resourceSpans: [{ scopeSpans: [{ spans: [span] }] }] };
    expect((await ask(at, "/v1/traces", { method: "POST", headers: who, body })).status).toBe(200);
  }
  await ask(0, "/v1/services", {
    method: "POST",
    headers: bearer(operator["token"]),
    body: { service: "//last-of-acme" },
  });
  await eventually(() => expect(stream.text).toMatch(/event: services\n.*\n.*last-of-acme/));
  for (const at of [0, 1]) {
    const traces = await ask(at, "/v1/traces?q=hidden-work", { headers });
    expect(traces).toMatchObject({ status: 200, json: { traces: [] } });
    expect((await ask(at, `/v1/traces/${span.traceId}`, { headers })).status).toBe(404);
  }
  expect(stream.text).not.toContain("hidden");

  // A code is good once, at whichever of them.
  const word = { ...headers, "x-datawire-csrf": signed.json["csrf"] };
  const { code } = (await ask(1, "/v1/session/codes", { method: "POST", headers: word, body: {} })).json;
  await eventually(async () =>
    expect((await ask(0, "/v1/session", { method: "POST", body: { code } })).status).toBe(200),
  );
  await eventually(async () =>
    expect((await ask(1, "/v1/session", { method: "POST", body: { code } })).status).toBe(401),
  );
  expect((await ask(1, "/v1/services", { method: "POST", headers: word, body: { service: "//x" } })).status).toBe(403);

  const revoked = await ask(0, `/v1/tokens/${viewer["id"]}`, { method: "DELETE", headers: admin });
  expect(revoked).toMatchObject({ status: 200, json: { sessions: 2 } });
  await eventually(() => expect(stream.ended).toBe(true));
  for (const at of [0, 1])
    await eventually(async () => expect((await ask(at, "/v1/session", { headers })).status).toBe(401));

  const secrets = [viewer["token"], operator["token"], stranger["token"], signed.json["csrf"], code];
  const log = replicas.log;
  expect(log).toContain("Changed");
  for (const secret of [...secrets, signed.cookie.split("=", 2)[1]]) expect(log).not.toContain(secret);
});
