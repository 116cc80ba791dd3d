import { expect, test } from "vitest";
import { messageType } from "../otlp/messages.ts";
import { attributes, bytesOf, logRequest, nanos, spanOf, traceIdOf, traceRequest } from "../testing/requests.ts";
import { readRequest } from "./read-request.ts";

const read = (body: object, signal: "traces" | "logs" | "metrics" = "traces") =>
  readRequest(bytesOf(body), { signal, format: "json", nowMs: 77 });

const bytes = (hex: string): Uint8Array => Uint8Array.from(hex.match(/../g) ?? [], (pair) => Number.parseInt(pair, 16));

test("readRequest() reads the same of protobuf and of JSON", () => {
  const resource = { "service.name": "shop", "service.version": "1.2", "service.instance.id": "vm1", zone: "a" };
  const said = { "user.id": 42, ratio: 0.5, big: 2 ** 40, text: "é", yes: true, list: [1, "b"], map: { a: { b: 1 } } };
  const event = {
    timeUnixNano: nanos(1_005),
    name: "exception",
    attributes: attributes({ "exception.message": "no" }),
  };
  const body = traceRequest([spanOf({ attributes: said, failed: true, events: [event] })], resource);
  const fromJson = read(body);
  // protobufjs reads text of 64 bits; ids are bytes there.
  const asProtobuf = JSON.parse(JSON.stringify(body), (key, value: unknown) =>
    /^(trace|span|parentSpan)Id$/.test(key) ? bytes(value as string) : value,
  ) as object;
  const type = messageType("ExportTraceServiceRequest");
  const encoded = type.encode(type.fromObject(asProtobuf)).finish();
  expect(readRequest(encoded, { signal: "traces", format: "protobuf", nowMs: 0 })).toEqual(fromJson);
  expect(fromJson).toEqual({
    spans: [
      {
        traceId: traceIdOf(1),
        spanId: "00000000000000a1",
        parentId: null,
        name: "work",
        kind: "server",
        start: 1_000,
        durationMs: 10,
        status: "error",
        message: "it broke",
        scope: "test",
        attributes: said,
        resource: {
          service: "shop",
          version: "1.2",
          instance: "vm1",
          node: "vm1",
          environment: null,
          attributes: { zone: "a" },
        },
      },
    ],
    events: [
      expect.objectContaining({ level: "ERROR", text: "no", timestamp: 1_005, spanId: "00000000000000a1", clock: [] }),
    ],
    rejected: { count: 0, reason: "" },
  });
});

test("readRequest() shows ids as they were sent, and rejects spans without proper ones", () => {
  const sent = ["5B8EFFF798038103D269B633813FC60C", "5b8efff7-9803-8103-d269-b633813fc60c"];
  const bad = ["", "xyz", traceIdOf(0), traceIdOf(1).slice(1)];
  const { spans, rejected } = read(traceRequest([...sent, ...bad].map((traceId) => spanOf({ traceId }))));
  expect(spans.map(({ traceId }) => traceId)).toEqual(sent);
  expect(rejected).toEqual({ count: 4, reason: 'its traceId "" is not 32 hexadecimal digits' });
  expect(read(traceRequest([spanOf({ spanId: "1" })])).rejected.reason).toContain("spanId");
});

test.each([
  [{ severityNumber: 21 }, "CRITICAL"],
  [{ severityNumber: 17 }, "ERROR"],
  [{ severityNumber: 16 }, "WARN"],
  [{ severityNumber: 9 }, "INFO"],
  [{ severityNumber: 8 }, "DEBUG"],
  [{ severityText: "Fatal" }, "CRITICAL"],
  [{ severityText: "warning" }, "WARN"],
  [{}, "INFO"],
])("readRequest() of a log record with %j says %s", (fields, level) => {
  expect(read(logRequest([fields]), "logs").events[0]?.level).toBe(level);
});

test("readRequest() takes log records of no trace, with bodies of any form, at whatever time is told", () => {
  const { events } = read(
    logRequest([
      { body: { stringValue: "hello" }, timeUnixNano: nanos(5), traceId: traceIdOf(9), spanId: "00000000000000b2" },
      { body: { kvlistValue: { values: attributes({ a: 1 }) } }, observedTimeUnixNano: nanos(6), eventName: "login" },
      { traceId: "" },
    ]),
    "logs",
  );
  expect(events.map(({ text, timestamp, traceId, category }) => [text, timestamp, traceId, category])).toEqual([
    ["hello", 5, traceIdOf(9), "test"],
    ['{"a":1}', 6, null, "login"],
    ["", 77, null, "test"],
  ]);
});

test("readRequest() rejects every point of metrics", () => {
  const metrics = [{ gauge: { dataPoints: [{}, {}] } }, { sum: { dataPoints: [{}] } }, { name: "none" }];
  const body = { resourceMetrics: [{ scopeMetrics: [{ metrics }] }] };
  expect(read(body, "metrics").rejected).toEqual({ count: 3, reason: "a directory keeps no metrics" });
});

test.each([
  ["no JSON", new TextEncoder().encode("{")],
  ["no UTF-8", Uint8Array.from([0x22, 0xff, 0x22])],
  ["no object", bytesOf([])],
  ["what is nested too deep", new TextEncoder().encode(`{"resourceSpans":${"[".repeat(300)}${"]".repeat(300)}}`)],
  ["too many resources", bytesOf({ resourceSpans: Array.from({ length: 30_000 }, () => ({})) })],
  ["a list that is none", bytesOf({ resourceSpans: 1 })],
  ["a list of texts", bytesOf({ resourceSpans: ["a"] })],
  ["a name that is no text", bytesOf(traceRequest([{ ...spanOf(), name: 1 }]))],
  ["a time that is no number", bytesOf(traceRequest([{ ...spanOf(), startTimeUnixNano: "soon" }]))],
])("readRequest() refuses %s", (_, body) => {
  expect(() => readRequest(body, { signal: "traces", format: "json", nowMs: 0 })).toThrow(/^Cannot read the body: /);
});

test("readRequest() refuses what is no protobuf, and nothing of it ends the process", () => {
  const options = { signal: "traces", format: "protobuf", nowMs: 0 } as const;
  expect(() => readRequest(Uint8Array.from([0x0a, 0xff]), options)).toThrow("it is no protobuf message of OTLP");
  expect(readRequest(new Uint8Array(), options).spans).toEqual([]);
});

test.each([
  ["resources", [0x0a, 0x00], []],
  ["spans", [0x12, 0x00], [0x0a, 0x12]],
])("readRequest() refuses a body of nothing but empty %s, before it takes memory", (_, empty, around) => {
  let body = Buffer.alloc(4 * 1024 * 1024, Uint8Array.from(empty));
  for (const tag of around.toReversed()) {
    const length = [0, 7, 14, 21].map((shift) => ((body.length >>> shift) & 0x7f) | (shift < 21 ? 0x80 : 0));
    body = Buffer.concat([Uint8Array.from([tag, ...length]), body]);
  }
  expect(() => readRequest(body, { signal: "traces", format: "protobuf", nowMs: 0 })).toThrow(
    "more than 1000000 messages",
  );
});

test("readRequest() takes brackets and quotes within texts for what they are", () => {
  const name = `${"[{".repeat(300)} "quoted" \\\\ \\`;
  expect(read(traceRequest([spanOf({ name })])).spans[0]?.name).toBe(name);
});

test("readRequest() keeps a key such as __proto__ as it is", () => {
  const span = { ...spanOf(), attributes: [{ key: "__proto__", value: { stringValue: "x" } }] };
  const [read_] = read(traceRequest([span])).spans;
  expect(Object.entries(read_?.attributes ?? {})).toEqual([["__proto__", "x"]]);
});

test("readRequest() bounds a resource, which stands with each of its spans", () => {
  const resource = { "service.name": "shop", a: "x".repeat(5_000), b: "y".repeat(5_000) };
  const [span] = read(traceRequest([spanOf()], resource)).spans;
  expect(Object.keys(span?.resource.attributes ?? {})).toEqual(["a"]);
});
