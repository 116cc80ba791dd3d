import type { LinkHandler, LinkSession } from "@datawire/link";
import { noLog } from "@datawire/runtime";
import { createFakeClock, type FakeClock } from "@datawire/runtime/testing";
import { beforeEach, describe, expect, test } from "vitest";
import type { Metrics } from "./metrics.ts";
import { Reporter } from "./reporter.ts";

const FOLLOWER: LinkHandler = { connected() {}, disconnected() {}, message() {} };

let clock: FakeClock;
let sent: unknown[];
let followedMs: number[];
let reporter: Reporter;
let link: LinkHandler;
const session = { send: (message: unknown) => sent.push(message) > 0 } as unknown as LinkSession;

beforeEach(() => {
  clock = createFakeClock();
  sent = [];
  followedMs = [];
  reporter = new Reporter({
    settings: { name: "monolith", zone: null },
    clock,
    log: noLog,
    metrics: { followed: (ms) => followedMs.push(ms) } as Partial<Metrics> as Metrics,
    planning: { position: { epoch: "e", revision: 7 }, current: null },
    runtime: { ask: async () => "", run: async () => {} },
    sampling: null,
    onApplied: () => {},
  });
  link = reporter.handler(FOLLOWER);
});

function note(agoMs: number | null, services: readonly string[] = ["s"]): void {
  reporter.noteChange({ atMs: agoMs === null ? null : clock.nowMs() - agoMs, services: new Set(services) });
}

describe("Reporter", () => {
  test("counts how long changes take, the oldest of those that come together", () => {
    link.connected(session);
    note(null);
    reporter.applied([]);
    note(30);
    note(10);
    reporter.applied([]);
    reporter.applied([]);
    expect(followedMs).toEqual([30]);
  });

  test("does not count what it catches up with after the link was down", () => {
    for (let i = 0; i < 2; i++) {
      link.connected(session);
      note(null, []); // only the end of the warm-up
      note(60_000);
      reporter.applied([]);
      note(5);
      reporter.applied([]);
      link.disconnected("gone");
    }
    expect(followedMs).toEqual([5, 5]);
  });

  test("tells each new connection what HAProxy follows", () => {
    reporter.applied([{ subject: "//s", message: "no" }]);
    expect(sent).toEqual([]);
    link.connected(session);
    const problems = [{ subject: "//s", message: "no" }];
    expect(sent).toEqual([{ type: "applied", epoch: "e", revision: 7, problems }]);
  });
});
