import { readFileSync } from "node:fs";
import { type Endpoint, endpoints, openApiPage, pages } from "@datawire/api";
import { clientMessageSchema, serverMessageSchema } from "@datawire/protocol";
import { VERSION } from "@datawire/runtime";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type Served, serve, sherlockOf, watsonOf } from "../testing/served.ts";
import { registration } from "../testing/worlds.ts";
import type { ApiContext } from "./context.ts";
import { endpointsOf } from "./endpoints.ts";

const described: Readonly<Record<string, Endpoint>> = { ...pages, ...endpoints };
/** By method and path, in the form of docs/protocol.md: what stands for a name in a path is `*`. */
const keyOf = ({ method, path }: Endpoint): string => `${method} ${path.replaceAll(/\{\w+\}/g, "*")}`;
const byKey = new Map(Object.values(described).map((endpoint) => [keyOf(endpoint), endpoint]));

let served: Served;

beforeAll(async () => {
  served = await serve();
  await watsonOf(served, "vm1", [
    registration("barker@a:1", { zone: "z1", tags: ["blue"] }),
    registration("barker@b:2", { state: "down", reason: "503" }),
  ]);
  const sherlock = await sherlockOf(served, "monolith");
  const counter = { service: "barker", version: "1", instance: "a", requests: 4, failures: 0 };
  const counters = [
    { ...counter, responses: [0, 4, 0, 0, 0], latencyMs: { average: 1.5, max: 3 }, latencies: [1, 3, 3, 1] },
  ];
  sherlock.send({ type: "counters", periodMs: 1_000, counters });
  sherlock.send({ type: "applied", epoch: "e", revision: 1, problems: [{ subject: "//x", message: "refused" }] });
  // Messages are taken in order: the answer to this one says that those before it were.
  sherlock.send({ type: "is anybody there" });
  await sherlock.next("error");
});
afterAll(() => served.stop());

test("every endpoint is served", () => {
  // Nothing of the context is used before an endpoint is called.
  const served = endpointsOf({} as ApiContext).map(({ endpoint }) => keyOf(endpoint));
  expect(served.toSorted()).toEqual(Object.values(endpoints).map(keyOf).toSorted());
});

test("docs/protocol.md lists exactly the endpoints that are served", () => {
  const page = readFileSync(new URL("../../../../docs/protocol.md", import.meta.url), "utf8");
  const rows = [...page.matchAll(/^\| `((?:GET|POST|PUT|DELETE) \/[^?`]*)(?:\?([^`]*))?` \|/gm)];
  const listed = rows.map(([, key = "", query = ""]) => [
    key.replace(/\/[A-Z]+(?=\/|$)/g, "/*"),
    query.match(/\w+(?==)/g) ?? [],
  ]);
  const served = [...byKey].map(([key, { query }]): [string, string[]] => [key, Object.keys(query?.shape ?? {})]);
  expect(new Map(listed as [string, string[]][])).toEqual(new Map(served));
  expect(rows).toHaveLength(served.length);
});

test("docs/protocol.md names every message of the link with its fields", () => {
  const page = readFileSync(new URL("../../../../docs/protocol.md", import.meta.url), "utf8").split(
    "## HTTP",
    1,
  )[0] as string;
  const rows = new Map(
    [...page.matchAll(/^\| `(\w+)` \| (.*?) \| [^|]* \|$/gm)].map(([, type, fields]) => [type, fields]),
  );
  for (const { shape } of [...clientMessageSchema.options, ...serverMessageSchema.options]) {
    const { type, ...fields } = shape;
    const row = rows.get(type.value) ?? "not there";
    const unnamed = Object.keys(fields).filter((field) => !new RegExp(`\\b${field}\\b`).test(row));
    expect([type.value, unnamed]).toEqual([type.value, []]);
  }
});

const route = { source: "//monolith", target: "//barker(2)", percent: "10%" };
const reads: [string, string, unknown][] = [
  ["GET /v1/status", "/v1/status", undefined],
  ["GET /v1/services", "/v1/services", undefined],
  ["GET /v1/services/*", "/v1/services/barker", undefined],
  ["GET /v1/instances", "/v1/instances", undefined],
  ["GET /v1/routes", "/v1/routes", undefined],
  ["GET /v1/routes/history", "/v1/routes/history?limit=5", undefined],
  ["GET /v1/distributions", "/v1/distributions", undefined],
  ["GET /v1/explain", "/v1/explain?caller=monolith&service=barker", undefined],
  ["GET /v1/callers", "/v1/callers", undefined],
  ["GET /v1/table", "/v1/table", undefined],
  ["GET /v1/counters", "/v1/counters?seconds=3600", undefined],
  ["GET /v1/series", "/v1/series?service=barker&by=instance&seconds=3600", undefined],
  ["GET /v1/map", "/v1/map?seconds=3600", undefined],
  ["GET /v1/session", "/v1/session", undefined],
  ["GET /v1/tokens", "/v1/tokens", undefined],
];

// In this order: each finds what the ones before it made.
test.each([
  ["POST /v1/services", "/v1/services", { service: "//fresh", primary: "1", retries: 2 }],
  ["PUT /v1/services/*", "/v1/services/fresh", { retries: null }],
  ["POST /v1/routes", "/v1/routes", { ...route, sticky: "cookie:user", for: "1h" }],
  ["PUT /v1/routes", "/v1/routes", { source: "//monolith", targets: [{ target: "//barker(2)", percent: 5 }] }],
  ["POST /v1/tokens", "/v1/tokens", { role: "watson", services: ["billing-*"], expires: "1h" }],
  ...reads,
  ["POST /v1/services/*/promote", "/v1/services/barker/promote", { generation: "2", dryRun: true }],
  ["POST /v1/instances/drain", "/v1/instances/drain", { instance: "//barker@a" }],
  ["POST /v1/instances/resume", "/v1/instances/resume", { instance: "//barker@a" }],
  ["DELETE /v1/routes", "/v1/routes", { source: "//monolith", target: "//barker(2)" }],
  ["POST /v1/routes/undo", "/v1/routes/undo", {}],
  ["DELETE /v1/services/*", "/v1/services/fresh", {}],
  ["POST /v1/guard/release", "/v1/guard/release", {}],
])("%s answers as it is described", async (key, path, body) => {
  const answer = body === undefined ? await served.get(path) : await served.send(key.split(" ")[0]!, path, body);
  expect(answer).toMatchObject({ status: 200 });
  const shape = byKey.get(key)!.answer;
  if (typeof shape === "string") throw new Error(`${key} answers with a ${shape}`);
  expect(shape.safeParse(answer.body).error?.issues ?? []).toEqual([]);
  // Nothing is answered that the shape does not have.
  expect(shape.parse(answer.body)).toEqual(answer.body);
});

test("GET /v1/openapi.json gives a page that names every path with its parameters", async () => {
  const { body } = await served.get("/v1/openapi.json");
  const environment = { name: "environment", in: "query" };
  expect(body).toEqual(JSON.parse(JSON.stringify(openApiPage(described, { version: VERSION }))));
  expect(body).toMatchObject({
    openapi: "3.1.0",
    paths: {
      "/v1/services/{service}/promote": { post: { parameters: [{ name: "service", in: "path" }, environment] } },
      "/v1/explain": {
        get: {
          parameters: [{ name: "caller" }, { name: "service" }, { name: "path" }, { name: "headers" }, environment],
        },
      },
      "/v1/routes": { post: { requestBody: { content: { "application/json": { schema: { type: "object" } } } } } },
    },
  });
});
