import { describe, expect, test } from "vitest";
import { choiceOf, sessionsForTest } from "../testing/sessions.ts";
import { readContext, writeContext } from "./context.ts";
import type { Json } from "./json.ts";
import { MdkError } from "./mdk-error.ts";

const codeOf = (work: () => unknown): string => {
  try {
    work();
  } catch (error) {
    if (error instanceof MdkError) return error.code;
    throw error;
  }
  return "none";
};
const rejection = async (promise: Promise<unknown>): Promise<string> => {
  const error: unknown = await promise.then(
    () => null,
    (reason: unknown) => reason,
  );
  return error instanceof MdkError ? error.code : String(error);
};

describe("properties", () => {
  test("go with the session, booleans as booleans, and are a copy", () => {
    const { sessions } = sessionsForTest();
    const session = sessions.create();
    const value = { flag: true, list: [1] };
    session.setProperty("x", value);
    value.list.push(2);
    expect(sessions.join(session.externalize()).getProperty("x")).toEqual({ flag: true, list: [1] });
    expect(session.hasProperty("y")).toBe(false);
    expect(session.getProperty("constructor")).toBe(undefined);
  });

  test.each<[string, unknown, string]>([
    ["timeout", 1, "invalid_argument"],
    ["trace", "DEBUG", "invalid_argument"],
    ["routes", {}, "invalid_argument"],
    ["x", undefined, "invalid_argument"],
    ["x", new Date(), "invalid_argument"],
    ["x", "y".repeat(8_192), "limit_exceeded"],
    ["x".repeat(8_192), 1, "limit_exceeded"],
    ["x", "é".repeat(1_400), "limit_exceeded"],
  ])("%.10s is refused, and changes nothing: %#", (key, value, code) => {
    const { sessions } = sessionsForTest();
    const session = sessions.create();
    session.setProperty("kept", "yes");
    const before = session.externalize();
    expect(codeOf(() => session.setProperty(key, value as Json))).toBe(code);
    expect(() => session.setProperty(key, value as Json)).toThrow(`"${key.slice(0, 20)}`);
    expect(session.externalize()).toBe(before.replace('"clocks":[0]', '"clocks":[1]'));
  });

  test("that are nested too deep for the next service are refused", () => {
    const { sessions } = sessionsForTest();
    const nested = (depth: number): Json => {
      let value: Json = 1;
      for (let i = 0; i < depth; i++) value = [value];
      return value;
    };
    const session = sessions.create();
    expect(codeOf(() => session.setProperty("x", nested(63)))).toBe("invalid_argument");
    expect(codeOf(() => session.setProperty("x", nested(100_000)))).toMatch(/invalid_argument|limit_exceeded/);
    session.setProperty("x", nested(62));
    expect(sessions.join(session.externalize()).traceId).toBe(session.traceId);
  });
});

describe("deadlines", () => {
  test("are only ever lowered, and are there in seconds with three decimals", () => {
    const { sessions, clock } = sessionsForTest();
    const session = sessions.create();
    expect(session.getRemainingTime()).toBeNull();
    session.setDeadline(10);
    session.setDeadline(20);
    expect(session.getRemainingTime()).toBe(10);
    session.setTimeout(1.2345);
    clock.advance(234.5);
    expect(session.getRemainingTime()).toBe(1);
    expect(session.externalize()).toContain('"timeout":1800000001.235');
    clock.advance(5_000);
    expect(session.getRemainingTime()).toBe(0);
  });

  test.each([-1, Number.NaN, Number.POSITIVE_INFINITY, "1" as unknown as number])(
    "setDeadline() refuses %s",
    (seconds) => {
      const { sessions } = sessionsForTest();
      expect(codeOf(() => sessions.create().setDeadline(seconds))).toBe("invalid_argument");
    },
  );

  test("abort the signal, with a code", () => {
    const { sessions, clock } = sessionsForTest();
    const session = sessions.create();
    const { signal } = session;
    session.setDeadline(5);
    session.setDeadline(2);
    expect(clock.timers).toBe(1);
    clock.advance(1_999);
    expect(signal.aborted).toBe(false);
    clock.advance(1);
    expect(signal.reason).toMatchObject({ code: "deadline_exceeded" });
  });

  test("of a context hold here, the default one where it is sooner", () => {
    const { sessions } = sessionsForTest();
    const text = (timeout: string): string => `{"traceId":"a","properties":{"timeout":${timeout}}}`;
    expect(sessions.join(text("1800000003.5")).getRemainingTime()).toBe(3.5);
    expect(sessions.join(text('"soon"')).getRemainingTime()).toBeNull();
    sessions.setDefaultDeadline(2);
    expect(sessions.join(text("1800000003.5")).getRemainingTime()).toBe(2);
    expect(sessions.create().getRemainingTime()).toBe(2);
  });

  test("of a context yield to what the caller says is left, whatever its clock", () => {
    const { sessions } = sessionsForTest();
    const text = '{"traceId":"a","properties":{"timeout":1700000000}}';
    const session = sessions.join(text, { remaining: 1_500 });
    expect(session.getRemainingTime()).toBe(1.5);
    expect(session.externalize()).toContain('"timeout":1800000001.5');
    expect(sessions.join(text, { remaining: Number.NaN }).getRemainingTime()).toBe(0);
    expect(sessions.join(text, { remaining: -5 }).getRemainingTime()).toBe(0);
  });

  test("that are over keep a call from being made", async () => {
    const { sessions, asked } = sessionsForTest({ choices: [choiceOf("a")] });
    const session = sessions.create();
    session.setDeadline(0);
    expect(await rejection(session.resolve("barker"))).toBe("deadline_exceeded");
    expect(asked).toEqual([]);
  });
});

describe("logs", () => {
  test("are of the level that was asked for, in the services that are called too", () => {
    const { sessions, logged } = sessionsForTest();
    const session = sessions.create();
    session.debug("a", "left out");
    session.trace("DEBUG");
    const called = sessions.join(session.externalize());
    called.debug("a", "there");
    called.trace("critical" as "CRITICAL");
    called.error("a", "left out");
    expect(logged.map(({ text }) => text)).toEqual(["there"]);
    expect(codeOf(() => session.trace("LOUD" as "INFO"))).toBe("invalid_argument");
  });

  test("take whatever they are given", () => {
    const { sessions, logged } = sessionsForTest();
    sessions.create().info(undefined as unknown as string, { toString: () => "text" } as unknown as string);
    sessions.create().info("a", "x".repeat(300_000));
    expect(logged[0]).toMatchObject({ category: "undefined", text: "text" });
    expect(logged[1]?.text).toHaveLength(256 * 1024);
  });
});

describe("interactions", () => {
  test("that fail mark what they resolved, name it, and leave the rest alone", async () => {
    const [a, b] = [choiceOf("a", { failures: 1, pauseMs: 1 }), choiceOf("b", { failures: 1, pauseMs: 1 })];
    const { sessions, logged } = sessionsForTest({ choices: [a, b] });
    const session = sessions.create();
    await session.resolve("barker");
    session.startInteraction();
    await session.resolve("barker");
    session.failInteraction(new Error("boom"));
    session.finishInteraction();
    expect([a.breaker.isClosed, b.breaker.isClosed]).toEqual([true, false]);
    const failure = logged.find(({ category }) => category === "interaction failure");
    expect(failure).toMatchObject({ level: "ERROR", text: expect.stringContaining("http://b") as string });
    expect(failure?.text).toContain("boom");
    expect(logged.some(({ level, text }) => level === "WARN" && text.includes("tripped"))).toBe(true);
    session.finish_interaction();
    session.fail_interaction("nothing left");
    expect(a.breaker.isClosed).toBe(true);
  });

  test("that finish close a breaker, and tell", async () => {
    const a = choiceOf("a", { failures: 1, pauseMs: 1 });
    const { sessions, logged } = sessionsForTest({ choices: [a] });
    const session = sessions.create();
    await session.interact(() => session.resolve("barker")).catch(() => {});
    await session
      .interact(async (view) => {
        await view.resolve("barker");
        throw new Error("boom");
      })
      .catch(() => {});
    expect(a.breaker.isClosed).toBe(false);
    await session.interact((view) => view.resolve("barker"));
    expect(a.breaker.isClosed).toBe(true);
    expect(logged.filter(({ level, text }) => level === "INFO" && text.includes("has closed"))).toHaveLength(1);
  });

  test("throw on what they failed with, also at the same time without a mix", async () => {
    const choices = [choiceOf("a", { failures: 1, pauseMs: 1 }), choiceOf("b", { failures: 1, pauseMs: 1 })];
    const { sessions } = sessionsForTest({ choices });
    const session = sessions.create();
    const gate = new Promise<void>((resolve) => setImmediate(resolve));
    const failing = session.interact(async (view) => {
      await view.resolve("barker");
      await gate;
      throw new Error("boom");
    });
    const fine = session.interact(async (view) => {
      const node = await view.resolve("barker");
      await gate;
      return node.id;
    });
    await expect(failing).rejects.toThrow("boom");
    expect(await fine).toBe("b");
    expect(choices.map(({ breaker }) => breaker.isClosed)).toEqual([false, true]);
  });

  test("that their caller aborts are no failure", async () => {
    const a = choiceOf("a", { failures: 1, pauseMs: 1 });
    const { sessions, logged } = sessionsForTest({ choices: [a] });
    const abort = new AbortController();
    const aborted = sessions.create().interact(async (view) => {
      await view.resolve("barker");
      abort.abort();
      abort.signal.throwIfAborted();
    });
    await expect(aborted).rejects.toThrow(/abort/);
    expect(a.breaker.isClosed).toBe(true);
    expect(logged.some(({ level }) => level === "ERROR")).toBe(false);
  });

  test("remember the last thousand nodes", async () => {
    const choices = Array.from({ length: 3_000 }, (_, i) => choiceOf(`n${i}`, { failures: 1, pauseMs: 1 }));
    const { sessions } = sessionsForTest({ choices });
    const session = sessions.create();
    for (let i = 0; i < 3_000; i++) await session.resolve("barker");
    session.failInteraction("boom");
    const failed = choices.flatMap(({ breaker }, i) => (breaker.isClosed ? [] : [i]));
    expect(failed).toEqual(Array.from({ length: 1_000 }, (_, i) => 2_000 + i));
  });

  test.each([
    [99, false],
    [100, true],
  ])("remember of one with %i others within it what it resolved, or forget it: %s", async (within, isForgotten) => {
    const a = choiceOf("a", { failures: 1, pauseMs: 1 });
    const session = sessionsForTest({ choices: [a] }).sessions.create();
    session.startInteraction();
    await session.resolve("barker");
    for (let i = 0; i < within; i++) session.startInteraction();
    for (let i = 0; i < within; i++) session.finishInteraction();
    session.failInteraction("boom");
    expect(a.breaker.isClosed).toBe(isForgotten);
  });
});

test("externalize() writes what the session is now, however often it has written it before", () => {
  const { sessions } = sessionsForTest();
  const session = sessions.join(sessions.create().externalize());
  const steps = [
    () => session.setProperty("a", "first"),
    () => session.info("x", "a tick of the clock"),
    () => session.setProperty("a", "second"),
    () => session.trace("DEBUG"),
    () => session.setDeadline(60),
    () => session.setDeadline(30),
    () => session.replaceDeadline(40_000),
  ];
  const texts = steps.map((step) => {
    step();
    session.externalize();
    return session.externalize();
  });
  // Each is as a client writes it that has read it, and so knows of nothing that was written before.
  for (const text of texts) {
    const read = readContext(text);
    expect(read.state === "read" && writeContext(read.context)).toBe(text);
  }
  const clocks = texts.map((text) => /"clocks":\[([^\]]*)\]/.exec(text)?.[1]);
  expect(clocks).toEqual(["1,1", "1,4", "1,6", "1,8", "1,10", "1,12", "1,14"]);
  const properties = texts.map((text) => /"properties":(.*),"environment"/.exec(text)?.[1]);
  expect(properties.slice(0, 4)).toEqual([
    '{"a":"first"}',
    '{"a":"first"}',
    '{"a":"second"}',
    '{"a":"second","trace":"DEBUG"}',
  ]);
  expect(new Set(properties).size).toBe(6);
});

test("route() sends what a session asks elsewhere, in an experiment alone", async () => {
  for (const experimental of [true, false]) {
    const { sessions, asked } = sessionsForTest({ experimental, choices: [choiceOf("a")] });
    const session = sessions.create();
    session.route("barker", "1.0", "meower", "2.0");
    const joined = sessions.join(session.externalize());
    await joined.resolve("barker", "1.5");
    await joined.resolve("barker", "3.0");
    expect(asked[0]).toEqual(
      experimental ? { service: "meower", version: "2.0" } : { service: "barker", version: "1.5" },
    );
    expect(asked[1]).toEqual({ service: "barker", version: "3.0" });
  }
});
