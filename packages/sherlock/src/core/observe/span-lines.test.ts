import { describe, expect, test } from "vitest";
import { otlpSpans } from "./otlp-spans.ts";
import type { SpanChoice } from "../render/spans-view.ts";
import { SpanLines } from "./span-lines.ts";

const TRACE = "4bf92f3577b34da6a3ce929d0e0e4736";

/** A line as `defaults.hbs` has it written. */
function line(fields: Readonly<Record<string, string | number>> = {}): string {
  const all = {
    line: "http_in.7.0",
    time: "1796021650.012",
    idleMs: 505,
    client: "127.0.0.1",
    service: "shop",
    backend: "shop:v1",
    instance: "vm1:80",
    method: "GET",
    path: "/shop/a",
    status: 200,
    bytes: 158,
    queueMs: 0,
    connectMs: 1,
    responseMs: 4,
    totalMs: 5,
    retries: "0",
    end: "--",
    traceparent: "-",
    traceId: TRACE,
    spanId: "b7ad6b7169203331",
    parentId: "-",
    ...fields,
  };
  return `${JSON.stringify(Object.values(all))}\n`;
}

const read = (text: string, of: SpanChoice = 1) => new SpanLines(of).add(text);

describe("SpanLines", () => {
  test("reads when a request began, which is after its connection has waited for it", () => {
    expect(read(line())).toMatchObject([{ startMs: 1_796_021_650_517, totalMs: 5, status: 200, parentId: null }]);
  });

  test("reads of a spare backend which one it is, on the way through the fallback too", () => {
    const lines = new SpanLines(1, (name) => (name === "spare-x-1" ? "shop:v1" : name));
    const text = `${line({ backend: "spare-x-1" })}${line({ backend: "spare-x-1", line: "fallback.7.1" })}`;
    expect(lines.add(text).map(({ backend }) => backend)).toEqual(["shop:v1", "shop:v1"]);
  });

  test("puts lines together that came in pieces, and passes over what is no request", () => {
    const lines = new SpanLines(1);
    const whole = `Proxy http_in started.\n${line()}${line({ line: "http_in.7.1", status: 400, spanId: "-" })}`;
    expect(whole.split("").flatMap((letter) => lines.add(letter))).toHaveLength(1);
    expect(lines.takeLost()).toBe(0);
  });

  test("reads the trace that a request came with where nothing was chosen of it", () => {
    const traceparent = `00-${TRACE}-00f067aa0ba902b7-01`;
    const failed = { status: 500, traceId: "-", spanId: "-" };
    expect(read(line({ ...failed, traceparent }), "errors")).toMatchObject([
      { traceId: TRACE, spanId: null, parentId: "00f067aa0ba902b7" },
    ]);
    expect(read(line(failed), "errors")).toMatchObject([{ traceId: null, spanId: null, parentId: null }]);
  });

  test("takes those that were chosen, or failed", () => {
    const all = [
      line({ spanId: "-" }),
      line({ spanId: "-", status: 503, path: "/failed" }),
      line({ spanId: "-", status: 200, end: "SD", path: "/cut" }),
      line({ spanId: "-", status: -1, end: "CD", path: "/left" }),
      line({ path: "/chosen" }),
    ].join("");
    const paths = (of: SpanChoice): unknown[] => read(all, of).map(({ path }) => path);
    expect(paths("errors")).toEqual(["/failed", "/cut"]);
    expect(paths(0.1)).toEqual(["/failed", "/cut", "/chosen"]);
  });

  test("leaves out the way through the fallback that led nowhere", () => {
    expect(read(line({ line: "fallback.7.0", backend: "fallback", status: 503 }))).toEqual([]);
    expect(read(line({ line: "fallback.7.0", status: 503 }))).toHaveLength(1);
  });

  test("counts lines that did not come, and those that were cut short, by each writer", () => {
    const lines = new SpanLines(1);
    const numbered = (writer: string, number: number): string => line({ line: `${writer}.${number}` });
    lines.add(numbered("http_in.7", 5) + numbered("http_in.7", 6) + numbered("http_in.8", 0));
    expect(lines.takeLost()).toBe(0);
    lines.add(numbered("http_in.7", 10) + numbered("http_in.8", 1) + numbered("fallback.7", 3));
    expect(lines.takeLost()).toBe(3);
    lines.add('["http_in.7.11","1796\n');
    expect(lines.takeLost()).toBe(1);
  });

  test("holds no more of a line than a line may have", () => {
    const lines = new SpanLines(1);
    lines.add("[".repeat(100_000));
    expect(lines.add(`\n${line()}`)).toHaveLength(1);
  });
});

test("otlpSpans() puts each request under the instance that it went to, or under what was asked for", () => {
  const requests = read(
    [
      line(),
      line({ path: "/shop/b", parentId: "00f067aa0ba902b7", retries: "+2" }),
      line({ backend: "nothing", service: "gone", status: 503, spanId: "-" }),
      line({ backend: "http_in", service: "No Name", status: 503 }),
    ].join(""),
  );
  const written = otlpSpans(requests, {
    caller: "monolith",
    instanceOf: (backend) => (backend === "shop:v1" ? { name: "vm1", version: "1.4" } : null),
    newId: () => "00000000000000ff",
  });
  const resource = (...pairs: (readonly [string, string])[]) => ({
    attributes: pairs.map(([key, stringValue]) => ({ key, value: { stringValue } })),
  });
  expect(written).toMatchObject({
    resourceSpans: [
      {
        resource: resource(["service.name", "shop"], ["service.version", "1.4"], ["service.instance.id", "vm1"]),
        scopeSpans: [{ spans: [{ name: "GET /shop/a" }, { parentSpanId: "00f067aa0ba902b7" }] }],
      },
      {
        resource: resource(["service.name", "gone"]),
        scopeSpans: [{ spans: [{ spanId: "00000000000000ff", status: { code: 2, message: "503" } }] }],
      },
      { resource: resource(["service.name", "monolith"]) },
    ],
  });
});
