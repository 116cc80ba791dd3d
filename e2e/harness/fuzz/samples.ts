import { endpoints } from "@datawire/api";

/** What clients of a directory say and ask, as it is before anything in it is something else. */

const registration = (service: string, name: string, fields: object = {}): object => ({
  service,
  name,
  version: "1.2",
  url: `http://${name}.example.com:8080/base`,
  protocol: "http",
  state: "live",
  reason: null,
  weight: 100,
  zone: "a",
  tags: ["blue"],
  drainMs: 10_000,
  ...fields,
});

/** The first message of a client; `name` keeps what fuzzing does apart from what a good client does. */
export const helloOf = (kind: string, id: string): object => ({
  type: "hello",
  link: { min: 1, max: 1 },
  kind,
  name: `fuzz-${kind}`,
  id,
  version: "0",
  zone: "a",
  subscribe: kind === "watson" ? null : { services: null, have: null },
});

/** What a client says after that. */
export const CLIENT_MESSAGES: readonly object[] = [
  {
    type: "register",
    seq: 1,
    instances: [registration("fuzzed", "a"), registration("tcp", "b", { protocol: "tcp", url: "tcp://h:1" })],
  },
  { type: "update", seq: 2, instances: [registration("fuzzed", "a", { state: "draining" })], gone: ["fuzzed@b"] },
  { type: "applied", epoch: "e", revision: 1, problems: [{ subject: "//fuzzed", message: "why" }] },
  {
    type: "counters",
    periodMs: 5_000,
    counters: [
      {
        service: "fuzzed",
        version: "1.2",
        instance: "a",
        requests: 2,
        responses: [0, 2, 0, 0, 0],
        failures: 0,
        latencyMs: { average: 1.5, max: 3 },
        latencies: [1, 1, 3, 1],
      },
    ],
  },
  { type: "problems", problems: [{ subject: "file:1:1", message: "why", severity: "error", remedy: "do" }] },
];

const service = (name: string): object => ({
  name,
  protocol: "http",
  primary: "1",
  declared: true,
  proxyPort: null,
  settings: {},
});
const at = { epoch: "fuzzed", revision: 1 };
const table = {
  services: [service("fuzzed"), service("constructor")],
  instances: [
    { ...registration("fuzzed", "a"), url: "http://127.0.0.1:9", since: 0, order: 0 },
    { ...registration("constructor", "b"), url: "http://127.0.0.1:9", since: 0, order: 1 },
  ],
  tables: [
    {
      caller: "*",
      service: "fuzzed",
      sticky: "header:x-user",
      routes: [
        {
          target: "//fuzzed(2)",
          share: 10,
          slots: [[0, 10]],
          when: "header:x=1",
          reading: "caller",
          order: 0,
          expiry: null,
        },
      ],
    },
  ],
};

/** What a directory says first. */
export const WELCOME: object = {
  type: "welcome",
  link: 1,
  directory: "//localhost/directory",
  version: "0",
  heartbeatMs: 1_000,
  leaseMs: 3_000,
};

/** What it says after that. */
export const DIRECTORY_MESSAGES: readonly object[] = [
  { type: "snapshot", ...at, part: 0, last: true, warming: false, ...table },
  {
    type: "delta",
    ...at,
    from: 1,
    revision: 2,
    atMs: 1,
    change: { ...table, gone: { services: ["x"], instances: [], tables: [] } },
  },
  { type: "warm" },
  { type: "registered", seq: 1, refused: [{ instance: "fuzzed@a", code: "conflict", message: "why" }] },
  { type: "draining", instances: ["fuzzed@a"] },
  { type: "error", code: "unsupported", message: "why", fatal: false },
];

/** A request, of which each part may be something else; the length of the body follows from it. */
export interface RequestSample {
  readonly method: string;
  readonly path: string;
  readonly headers: readonly (readonly [name: string, value: string])[];
  readonly body: unknown;
}

const JSON_TYPE = ["content-type", "application/json"] as const;
const BODIES: readonly object[] = [
  { source: "//m", target: "//fuzzed(2)", percent: "10%", when: "header:x=1", sticky: "ip", for: "1h", ahead: true },
  { source: "//m", targets: [{ target: "//fuzzed(2)", percent: 10 }], ahead: true },
  {
    service: "//fuzzed",
    primary: "1",
    settings: { balance: "random", defaultUrl: "http://127.0.0.1:9", timeoutMs: 1_000 },
  },
  { instance: "//fuzzed@a", dryRun: true },
  { role: "watson", services: ["x-*"], expires: "1d", tenant: "acme" },
];

/** One request to each endpoint of a directory. */
export const DIRECTORY_REQUESTS: readonly RequestSample[] = Object.values(endpoints).map(({ method, path }, i) => {
  const isFile = path === "/v1/restore";
  const body = isFile ? '{"format":"datawire-backup","version":2}\n{"end":1}\n' : BODIES[i % BODIES.length];
  return {
    method,
    path: `${path.replaceAll(/\{[^}]*\}/g, "fuzzed")}?service=fuzzed&caller=m&path=/x&limit=3&seconds=60`,
    headers: [
      isFile ? (["content-type", "application/octet-stream"] as const) : JSON_TYPE,
      ["x-datawire-user", "fuzz@vm1"],
      ["authorization", "Bearer dw1_x"],
    ],
    body: method === "GET" ? null : body,
  };
});

/** What may be asked of an admin port. */
export const ADMIN_REQUESTS: readonly RequestSample[] = [
  ...["/healthz", "/readyz", "/metrics", "/stats"].map((path) => ({ method: "GET", path, headers: [], body: null })),
  { method: "PUT", path: "/v1/heartbeat/fuzzed", headers: [JSON_TYPE], body: { state: "live" } },
];

/** What callers ask of the proxy. */
export const TRAFFIC_REQUESTS: readonly RequestSample[] = [
  { method: "GET", path: "/good/x?y=1", headers: [["accept", "application/json"]], body: null },
  {
    method: "POST",
    path: "/good/x%20y/../z",
    headers: [
      ["cookie", "a=b; c=d"],
      ["x-user", "ann"],
    ],
    body: { a: 1 },
  },
  { method: "GET", path: "/", headers: [["accept", "text/html"]], body: null },
  {
    method: "GET",
    path: "/nobody",
    headers: [
      ["connection", "upgrade"],
      ["upgrade", "websocket"],
    ],
    body: null,
  },
  {
    method: "CONNECT",
    path: "good:80",
    headers: [
      ["te", "trailers"],
      ["expect", "100-continue"],
    ],
    body: null,
  },
];
