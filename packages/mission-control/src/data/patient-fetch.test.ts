import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { patientFetch } from "./patient-fetch.ts";

const URL_OF_ANY = new URL("http://directory/v1/services");
const SILENCE_MS = 10_000;

beforeEach(() => {
  vi.useFakeTimers();
  vi.spyOn(AbortSignal, "timeout").mockImplementation((ms) => {
    const controller = new AbortController();
    setTimeout(() => controller.abort(new Error(`nothing for ${ms} ms`)), ms);
    return controller.signal;
  });
});
afterEach(() => {
  vi.useRealTimers();
  vi.restoreAllMocks();
  vi.unstubAllGlobals();
});

/** Stands for a directory whose answer comes in parts, one every so often, and then no more. */
function answering(parts: readonly string[], everyMs: number, ends = true): void {
  vi.stubGlobal("fetch", async (_: URL, { signal }: RequestInit) => {
    const left = parts.values();
    const body = new ReadableStream<Uint8Array>({
      start(controller) {
        signal?.addEventListener("abort", () => controller.error(signal.reason));
      },
      async pull(controller) {
        const { value, done } = left.next();
        if (done === true) return ends ? controller.close() : await new Promise(() => {});
        await new Promise((resolve) => setTimeout(resolve, everyMs));
        controller.enqueue(new TextEncoder().encode(value));
      },
    });
    return new Response(body);
  });
}

test("patientFetch() waits for an answer that is long on its way, as long as more of it comes", async () => {
  answering(["[1,", "2,", "3,", "4]"], SILENCE_MS - 1_000);
  const answer = patientFetch(URL_OF_ANY, {}, SILENCE_MS);
  await vi.advanceTimersByTimeAsync(4 * SILENCE_MS);
  expect((await answer).text).toBe("[1,2,3,4]");
});

test("patientFetch() gives up once nothing more comes", async () => {
  answering(["[1,"], 0, false);
  const failed = patientFetch(URL_OF_ANY, {}, SILENCE_MS).catch((error: unknown) => error);
  await vi.advanceTimersByTimeAsync(SILENCE_MS);
  expect(await failed).toEqual(new Error("nothing for 10000 ms"));
});

test("patientFetch() gives up where no answer begins", async () => {
  vi.stubGlobal(
    "fetch",
    (_: URL, { signal }: RequestInit) =>
      new Promise((__, reject) => {
        signal?.addEventListener("abort", () => reject(signal.reason as Error));
      }),
  );
  const failed = patientFetch(URL_OF_ANY, {}, SILENCE_MS).catch((error: unknown) => error);
  await vi.advanceTimersByTimeAsync(SILENCE_MS);
  expect(await failed).toEqual(new Error("nothing for 10000 ms"));
});
