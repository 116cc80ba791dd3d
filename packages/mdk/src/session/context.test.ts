import fc from "@datawire/protocol/testing/random";
import { describe, expect, test } from "vitest";
import { sessionsForTest } from "../testing/sessions.ts";
import { CONTEXT_BYTES_MAX, type Context, readContext, utf8Length, writeContext } from "./context.ts";
import { copyJson, depthOf, type Json, NotJson, writeJson } from "./json.ts";

const TRACE = "0b1a9c2e-5d4f-4a7b-8c9d-0e1f2a3b4c5d";
const context = (properties: Record<string, Json>): Context => ({
  traceId: TRACE,
  clock: [0],
  properties: new Map(Object.entries(properties)),
  environment: { name: "sandbox", fallbackName: null },
});
const propertiesOf = (text: string): string => /"properties":(.*),"environment"/s.exec(text)?.[1] ?? "";

test("writeContext() writes a new session byte for byte", () => {
  expect(writeContext(context({}))).toBe(
    `{"$class":"mdk_protocol.SharedContext","traceId":"${TRACE}","clock":{"$class":"mdk_protocol.LamportClock","clocks":[0]},"properties":{},"environment":{"$class":"mdk_protocol.OperationalEnvironment","name":"sandbox","fallbackName":null}}`,
  );
});

test.each<[Record<string, Json>, string]>([
  [{ b: 1, a: 2, B: 3 }, '{"B":3,"a":2,"b":1}'],
  [{ é: 1, z: 2 }, '{"\\u00e9":1,"z":2}'],
  [{ "\u{1f600}": "😀" }, '{"\\ud83d\\ude00":"\\ud83d\\ude00"}'],
  [{ t: "\b\t\n\f\r\u0000\u001f\u007f\u2028" }, '{"t":"\\b\\t\\n\\f\\r\\u0000\\u001f\\u007f\\u2028"}'],
  [{ t: '/ \\ "' }, '{"t":"/ \\\\ \\""}'],
  [{ n: [1e21, 1e-7, -0, 0.1, 1.5e300, 123e18] }, '{"n":[1e+21,1e-7,0,0.1,1.5e+300,123000000000000000000]}'],
  [{ o: { z: true, y: { b: null, a: [] } } }, '{"o":{"y":{"a":[],"b":null},"z":true}}'],
  [JSON.parse('{"__proto__":{"a":1}}') as Record<string, Json>, '{"__proto__":{"a":1}}'],
])("writeContext() has the properties %j as %s", (properties, text) => {
  expect(propertiesOf(writeContext(context(properties)))).toBe(text);
});

test("writeJson() sorts by what is written, in which an escape is longer than its character", () => {
  // "é" is written as "\u00e9", and a backslash sorts before every small letter.
  expect(writeJson({ f: 1, é: 2, "[": 3 })).toBe('{"[":3,"\\u00e9":2,"f":1}');
});

test("a context that was written is read as it was, whatever is in it", () => {
  const any = fc.record({
    traceId: fc.uuid(),
    clock: fc.array(fc.nat(), { minLength: 1, maxLength: 5 }),
    properties: fc.dictionary(fc.string(), fc.jsonValue({ maxDepth: 3 }), { maxKeys: 5 }),
    name: fc.constantFrom("sandbox", "staging"),
  });
  fc.assert(
    fc.property(any, ({ traceId, clock, properties, name }) => {
      const environment = { name, fallbackName: null };
      const held = new Map(Object.entries(copyJson(properties) as Record<string, Json>));
      const text = writeContext({ traceId, clock, properties: held, environment });
      fc.pre(utf8Length(text) <= CONTEXT_BYTES_MAX);
      expect(text).toMatch(/^[ -~]*$/);
      const read = readContext(text);
      expect(read).toEqual({ state: "read", context: { traceId, clock, properties: held, environment } });
      if (read.state === "read") expect(writeContext(read.context)).toBe(text);
    }),
    { numRuns: 200 },
  );
});

test("readContext() takes parts in any order, unknown ones, and none", () => {
  const text = `{"environment":null,"later":{"x":1},"clock":{"clocks":null},"traceId":"${TRACE}"}`;
  expect(readContext(text)).toEqual({
    state: "read",
    context: {
      traceId: TRACE,
      clock: [0],
      properties: new Map(),
      environment: { name: "sandbox", fallbackName: null },
    },
  });
});

test.each([
  ["", /no JSON/],
  ["}", /no JSON/],
  ["[]", /no object/],
  ["null", /no object/],
  ['"text"', /no object/],
  ["{}", /no traceId/],
  ['{"traceId":7}', /no traceId/],
  [`{"traceId":"${TRACE}","x":"${"x".repeat(8_192)}"}`, /bytes/],
  [`{"traceId":"${TRACE}","properties":{"x":${"[".repeat(65)}${"]".repeat(65)}}}`, /nested/],
  [`{"traceId":"${TRACE}","properties":{"x":"${"é".repeat(4_096)}"}}`, /bytes/],
  [`{"traceId":"${TRACE}","properties":{"x":"${"é".repeat(2_000)}"}}`, /bytes when it is written/],
])("readContext() ignores %.40s", (text, reason) => {
  expect(readContext(text)).toEqual({ state: "ignored", reason: expect.stringMatching(reason) as string });
});

test("a context that cannot be read begins a new session, with one warning a minute", () => {
  const { sessions, logged, clock } = sessionsForTest();
  for (let i = 0; i < 5; i++) expect(sessions.join("garbage").externalize()).toContain('"clocks":[');
  expect(logged).toMatchObject([{ level: "WARN", category: "mdk", clock: [1] }]);
  clock.advance(60_000);
  sessions.join("{}");
  expect(logged).toHaveLength(2);
  for (const none of [null, undefined, ""]) sessions.join(none);
  expect(logged).toHaveLength(2);
});

test("whatever comes in a header makes a session, whose context the next service can read", () => {
  const { sessions } = sessionsForTest();
  const parts = fc.record(
    {
      traceId: fc.oneof(fc.string(), fc.jsonValue()),
      clock: fc.oneof(fc.jsonValue(), fc.record({ clocks: fc.jsonValue() })),
      properties: fc.oneof(
        fc.jsonValue(),
        fc.dictionary(fc.string(), fc.jsonValue()),
        fc.record({ timeout: fc.jsonValue() }),
      ),
      environment: fc.oneof(fc.jsonValue(), fc.record({ name: fc.jsonValue(), fallbackName: fc.jsonValue() })),
    },
    { requiredKeys: [] },
  );
  const anything = fc.oneof(
    fc.string(),
    fc.json(),
    parts.map((value) => JSON.stringify(value)),
  );
  fc.assert(
    fc.property(anything, fc.option(fc.double()), (text, remaining) => {
      for (const session of [sessions.join(text, { remaining: remaining ?? undefined }), sessions.derive(text)]) {
        session.info("a", "b");
        session.getRemainingTime();
        const written = session.externalize();
        expect(written).toMatch(/^[ -~]+$/);
        expect(sessions.join(written).traceId).toBe(session.traceId);
      }
    }),
    { numRuns: 500 },
  );
});

describe("clocks", () => {
  test("a join goes one on and one deeper, and stays in the environment of the context", () => {
    const { sessions } = sessionsForTest();
    const text = `{"traceId":"${TRACE}","clock":{"clocks":[1,4]},"environment":{"name":"prod","fallbackName":"old"}}`;
    const session = sessions.join(text);
    expect(session.traceId).toBe(TRACE);
    expect(session.externalize()).toContain('"clocks":[1,5,0]');
    expect(session.getEnvironment()).toEqual({ name: "prod", fallbackName: "old" });
  });

  test("logs tick before, externalize() after", () => {
    const { sessions, logged } = sessionsForTest();
    const session = sessions.create();
    expect(session.externalize()).toContain('"clocks":[0]');
    expect(session.info("a", "b")).toEqual({ traceId: session.traceId, clock: [2], environment: "sandbox" });
    expect(session.inject()).toContain('"clocks":[2]');
    expect(logged).toMatchObject([{ clock: [2], node: "here", level: "INFO", category: "a", text: "b" }]);
  });

  test("a derived session has the parent's properties, and names its trace", () => {
    const { sessions, logged } = sessionsForTest({ environment: { name: "own", fallbackName: null } });
    sessions.setDefaultDeadline(7);
    const text = `{"traceId":"${TRACE}","clock":{"clocks":[3]},"properties":{"timeout":1800000001.5,"user":"ann"},"environment":{"name":"prod"}}`;
    const session = sessions.derive(text);
    expect(session.traceId).not.toBe(TRACE);
    expect(session.getEnvironment().name).toBe("own");
    expect(session.getProperty("user")).toBe("ann");
    expect(session.getRemainingTime()).toBe(7);
    expect(logged).toMatchObject([{ level: "INFO", category: "mdk", traceId: session.traceId, clock: [1] }]);
    expect(logged[0]?.text).toContain(`${TRACE} [3]`);
  });
});

test.each<[unknown, RegExp]>([
  [undefined, /undefined/],
  [() => 1, /a function/],
  [1n, /a bigint/],
  [Symbol("x"), /a symbol/],
  [Number.NaN, /NaN/],
  [{ a: [1, Number.POSITIVE_INFINITY] }, /at a\[1\] it has Infinity/],
  [new Date(0), /class Date/],
  [new Map(), /class Map/],
  [[1, , 2], /undefined/], // eslint-disable-line no-sparse-arrays
])("copyJson() refuses %o", (value, reason) => {
  expect(() => copyJson(value)).toThrow(NotJson);
  expect(() => copyJson(value)).toThrow(reason);
});

test("copyJson() refuses a cycle, and takes one object twice", () => {
  const cycle: Record<string, unknown> = {};
  cycle["self"] = cycle;
  expect(() => copyJson(cycle)).toThrow(/a cycle/);
  const shared = { a: 1 };
  expect(copyJson([shared, shared])).toEqual([{ a: 1 }, { a: 1 }]);
});

test.each([
  ["[]", 1],
  ['{"a":[[]]}', 3],
  ['"[[["', 0],
  ['{"[\\"[":1}', 1],
  ["[[],[]]", 2],
])("depthOf(%s) is %s", (text, depth) => expect(depthOf(text)).toBe(depth));
