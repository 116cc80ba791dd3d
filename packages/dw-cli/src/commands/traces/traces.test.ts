import type { LogEvent, Span, TraceSummary } from "@datawire/api";
import { expect, test } from "vitest";
import { run, text } from "../../testing/run.ts";

const AT = Date.UTC(2026, 10, 20, 11, 59);
const summary: TraceSummary = {
  traceId: "5B8EFFF798038103D269B633813FC60C",
  firstMs: AT,
  lastMs: AT + 250,
  events: 1,
  level: "ERROR",
  nodes: ["vm1"],
  service: "shop",
  name: "GET /checkout",
  durationMs: 250,
  services: ["shop"],
  spans: 2,
  errors: 1,
};
const span = (fields: Partial<Span>): Span => ({
  traceId: summary.traceId,
  spanId: "a",
  parentId: null,
  service: "shop",
  instance: "vm1",
  resource: {},
  version: "1.2",
  name: "GET /checkout",
  kind: "server",
  start: AT,
  durationMs: 250,
  status: "ok",
  message: null,
  scope: null,
  attributes: {},
  ...fields,
});
const event = (fields: Partial<LogEvent> = {}): LogEvent => ({
  id: "1",
  traceId: summary.traceId,
  clock: [],
  timestamp: AT + 100,
  node: "vm1",
  level: "ERROR",
  category: "pay",
  text: "no\nmoney",
  environment: null,
  spanId: null,
  service: "shop",
  instance: "vm1",
  resource: {},
  attributes: {},
  ...fields,
});
const page = { next: null, dropped: {}, missing: [] };

test("trace list prints traces, and asks for what was typed", async () => {
  const path = "/v1/traces?min=250ms&since=1h&q=checkout&service=shop&error=true&limit=5";
  const answers = { [`GET ${path}`]: { ...page, traces: [summary], missing: ["//b/directory"] } };
  const line = "trace list checkout --service //shop --error --min 250ms --since 1h --limit 5";
  const { stdout, stderr } = await run(line, { answers });
  expect(stdout).toBe(text`
    WHEN                      TRACE                             SERVICE  NAME           SPANS  EVENTS  ERRORS  DURATION
    2026-11-20T11:59:00.000Z  5B8EFFF798038103D269B633813FC60C  shop     GET /checkout      2       1       1    250 ms
  `);
  expect(stderr).toContain("//b/directory");
});

test.each([
  ["//shop", "shop"],
  ["Shop/v2", "Shop%2Fv2"],
])("--service takes %s, an address or what spans call it", async (typed, asked) => {
  const answers = {
    [`GET /v1/traces?service=${asked}&limit=20`]: { ...page, traces: [summary] },
    [`GET /v1/logs?service=${asked}&limit=20`]: { ...page, events: [], tail: "t" },
  };
  expect(JSON.parse((await run(`trace list --service ${typed} --json`, { answers })).stdout)).toEqual([summary]);
  expect((await run(`log --service ${typed} --json`, { answers })).stdout).toBe("[]\n");
});

test("trace list --json gives the array, page after page", async () => {
  const other = { ...summary, traceId: "t2" };
  const answers = {
    "GET /v1/traces?limit=20": { ...page, traces: [summary], next: "c" },
    "GET /v1/traces?limit=19&cursor=c": { ...page, traces: [other] },
  };
  expect(JSON.parse((await run("trace list --json", { answers })).stdout)).toEqual([summary, other]);
});

test("trace show prints a waterfall and what was logged", async () => {
  const spans = [
    span({}),
    span({
      spanId: "b",
      parentId: "a",
      name: "charge",
      service: "pay",
      version: null,
      instance: null,
      start: AT + 50,
      durationMs: 100,
      status: "error",
      message: "declined",
    }),
  ];
  const answers = { "GET /v1/traces/5b8e": { traceId: summary.traceId, spans, events: [event()], partial: false } };
  expect((await run("trace show 5b8e", { answers })).stdout).toBe(text`
    trace 5B8EFFF798038103D269B633813FC60C

    SPAN           SERVICE    INSTANCE   START  DURATION                        STATUS
    GET /checkout  shop(1.2)  vm1        +0 ms    250 ms  ████████████████████  ok
      charge       pay        -         +50 ms    100 ms  ····████████········  error: declined

    2026-11-20T11:59:00.100Z  ERROR     shop  no ⏎ money
  `);
});

test("log prints the newest last", async () => {
  const events = [event({ text: "second", level: "WARN" }), event({ text: "first", timestamp: AT })];
  const answers = { "GET /v1/logs?level=warn&q=x&limit=20": { ...page, events, tail: "t" } };
  expect((await run("log x --level warn", { answers })).stdout).toBe(text`
    2026-11-20T11:59:00.000Z  ERROR     shop  first
    2026-11-20T11:59:00.100Z  WARN      shop  second
  `);
  const printed = JSON.parse((await run("log x --level warn --json", { answers })).stdout) as LogEvent[];
  expect(printed.map(({ text: said }) => said)).toEqual(["first", "second"]);
});

test("what is no number of lines is a misused command line", async () => {
  expect(await run("log -n many")).toMatchObject({ code: 64, stderr: /as -n: wanted a number/ });
  expect(await run("trace list --limit 0")).toMatchObject({ code: 64, stderr: /as --limit: wanted a number/ });
});
