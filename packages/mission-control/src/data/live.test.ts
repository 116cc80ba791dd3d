import { afterEach, beforeEach, expect, test, vi } from "vitest";
import type { Connection } from "./connection.ts";
import type { Question } from "./entry.ts";
import { Live } from "./live.ts";
import { Refusal, Unreachable } from "./refusal.ts";
import { Store } from "./store.ts";

/** Stands for a browser's stream, which opens where no topic of it is refused. */
class FakeSource extends EventTarget {
  static readonly OPEN = 1;
  static refused = new Set<string>();
  static open: FakeSource | null = null;
  static asked: string[] = [];
  readonly topics: readonly string[];
  readyState = 0;

  constructor(url: URL) {
    super();
    const text = url.searchParams.get("topics") ?? "";
    this.topics = text.split(",");
    FakeSource.asked.push(text);
    const isRefused = this.topics.some((topic) => FakeSource.refused.has(topic));
    setTimeout(() => {
      if (this.readyState === 2) return;
      this.readyState = isRefused ? 2 : FakeSource.OPEN;
      if (!isRefused) FakeSource.open = this;
      this.dispatchEvent(new Event(isRefused ? "error" : "open"));
    }, 5);
  }

  tell(topic: string, data: unknown): void {
    this.dispatchEvent(new MessageEvent(topic, { data: JSON.stringify(data) }));
  }

  close(): void {
    if (FakeSource.open === this) FakeSource.open = null;
    this.readyState = 2;
  }
}

function connectionTo(client: object): Connection {
  const state = new Store({ phase: "ready", session: null, seenAt: null });
  const urlOf = (path: string): URL => new URL(path, "http://directory/");
  const stands = { state, client, urlOf, seen: () => {}, check: async () => {} };
  // Of a connection, what questions use of it.
  return stands as unknown as Connection;
}

/** A question that says how often it was asked. */
function questionOf(topic: string, answer: () => Promise<unknown>) {
  const asked = vi.fn<() => Promise<unknown>>(answer);
  const question: Question<unknown> = { key: topic, topic, everyMs: 700, ask: () => asked() };
  return { asked, question };
}

const refuse = (status: number) => async () => {
  throw new Refusal(status, "there is none");
};

beforeEach(() => {
  vi.useFakeTimers();
  vi.stubGlobal("document", Object.assign(new EventTarget(), { hidden: false }));
  vi.stubGlobal("EventSource", FakeSource);
  FakeSource.refused = new Set();
  FakeSource.open = null;
  FakeSource.asked = [];
});
afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

const SECONDS = 1_000;

test.each([400, 403, 404])(
  "what is refused with %d is asked for seldom, and all else is still told",
  async (status) => {
    FakeSource.refused.add("rollout/999");
    const live = new Live(connectionTo({}));
    const missing = questionOf("rollout/999", refuse(status));
    const there = questionOf("status", async () => ({}));
    live.entry(missing.question).subscribe(() => {});
    live.entry(there.question).subscribe(() => {});
    await vi.advanceTimersByTimeAsync(5 * SECONDS);
    expect(FakeSource.open?.topics).toEqual(["status"]);
    vi.clearAllMocks();
    FakeSource.asked = [];
    await vi.advanceTimersByTimeAsync(60 * SECONDS);
    expect(FakeSource.asked).toEqual([]);
    expect(there.asked).not.toHaveBeenCalled();
    expect(missing.asked.mock.calls.length).toBeGreaterThan(3);
    expect(missing.asked.mock.calls.length).toBeLessThan(15);
    expect(live.entry(missing.question).get().error).toBe("there is none");
  },
);

test("what was refused is followed once it is there", async () => {
  FakeSource.refused.add("rollout/7");
  const live = new Live(connectionTo({}));
  const one = questionOf("rollout/7", refuse(404));
  live.entry(one.question).subscribe(() => {});
  await vi.advanceTimersByTimeAsync(10 * SECONDS);
  expect(FakeSource.open).toBeNull();
  FakeSource.refused.clear();
  one.asked.mockResolvedValue({ id: "7" });
  await vi.advanceTimersByTimeAsync(10 * SECONDS);
  expect(FakeSource.open?.topics).toEqual(["rollout/7"]);
  expect(live.entry(one.question).get()).toMatchObject({ data: { id: "7" }, error: null });
});

test("what is not there, and of which the stream tells, is asked for once it tells that it is", async () => {
  const live = new Live(connectionTo({}));
  const later = questionOf("service/later", refuse(404));
  live.entry(later.question).subscribe(() => {});
  await vi.advanceTimersByTimeAsync(5 * SECONDS);
  vi.clearAllMocks();
  await vi.advanceTimersByTimeAsync(60 * SECONDS);
  expect(later.asked).not.toHaveBeenCalled();
  later.asked.mockResolvedValue({ service: "later" });
  FakeSource.open?.tell("service/later", { changed: [{ service: "later" }], gone: [] });
  await vi.advanceTimersByTimeAsync(0);
  expect(live.entry(later.question).get()).toMatchObject({ data: { service: "later" }, error: null });
});

test("a directory that is away is asked for all topics again", async () => {
  FakeSource.refused.add("status");
  const live = new Live(connectionTo({}));
  const away = questionOf("status", async () => {
    throw new Unreachable("away");
  });
  live.entry(away.question).subscribe(() => {});
  await vi.advanceTimersByTimeAsync(10 * SECONDS);
  FakeSource.refused.clear();
  await vi.advanceTimersByTimeAsync(10 * SECONDS);
  expect(FakeSource.open?.topics).toEqual(["status"]);
});
