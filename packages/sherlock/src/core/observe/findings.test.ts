import { expect, test } from "vitest";
import type { ServerCounts } from "./statistics.ts";
import { problemsOfFinding } from "./finding-problem.ts";
import { Findings, type Observed } from "./findings.ts";

const OBSERVED: Observed = {
  address: "10.0.0.1",
  port: 80,
  ready: true,
  tlsName: null,
  instances: [{ name: "one", version: "1" }],
  isTcp: false,
  tls: null,
};
const LOOK_MS = 5_000;

/** What HAProxy has counted, as totals: answers, refused answers, failed connections. */
function counts(answered: number, refused = 0, unreached = 0, down: ServerCounts["down"] = null): ServerCounts {
  return {
    id: "foo:v1/one:80",
    backend: "foo:v1",
    server: "one:80",
    responses: [0, answered, 0, 0, 0],
    requests: answered + refused + unreached,
    unreached,
    refused,
    down,
    averageMs: 0,
    maxMs: 0,
  };
}

function fixture(observed: Observed | null = OBSERVED) {
  const findings = new Findings();
  let nowMs = 1_000_000;
  return {
    look(
      now: ServerCounts,
      { seen = observed, explain = null as string | null, afterMs = LOOK_MS, wallMs = 0 } = {},
    ): string[] {
      nowMs += afterMs;
      const questions = findings.look([now], () => seen, { wallMs: nowMs + wallMs, monotonicMs: nowMs });
      if (explain !== null) for (const question of questions) findings.explain(question, explain);
      return findings.list().map(({ kind, reason, count }) => `${kind} ${count}: ${reason}`);
    },
    asks: (now: ServerCounts) =>
      findings.look([now], () => observed, { wallMs: nowMs, monotonicMs: nowMs }).map(({ about }) => about),
    findings,
  };
}

const REFUSED = { seconds: 4, check: "L4CON", detail: "Connection refused" };

test("Findings tells of a server that is down for longer than Watson takes to say so, until it is up", () => {
  const { look } = fixture();
  expect(look(counts(0, 0, 1, { ...REFUSED, seconds: 3 }))).toEqual([]);
  expect(look(counts(0, 0, 1, { ...REFUSED, seconds: 8 }))).toEqual([
    "unreachable 0: no connection to 10.0.0.1:80: connection refused",
  ]);
  expect(look(counts(0, 0, 1))).toEqual([]);
});

test("Findings tells nothing of a server that takes no requests, or that is none of the plan", () => {
  const { look } = fixture();
  expect(look(counts(0, 0, 1, REFUSED), { seen: { ...OBSERVED, ready: false } })).toEqual([]);
  expect(look(counts(0, 0, 1, REFUSED), { seen: null })).toEqual([]);
});

test("Findings asks why there is no TLS, once, and again for another address", () => {
  const { look, asks } = fixture({ ...OBSERVED, tls: { verify: true } });
  const down = { seconds: 9, check: "L6RSP", detail: "SSL handshake failure" };
  expect(look(counts(0, 0, 1, down))).toEqual(["unreachable 0: no TLS with 10.0.0.1:80: SSL handshake failure"]);
  expect(asks(counts(0, 0, 1, down))).toEqual(["tls"]);
  expect(look(counts(0, 0, 1, down), { explain: "no TLS: certificate has expired" })).toEqual([
    "unreachable 0: no TLS: certificate has expired",
  ]);
  expect(asks(counts(0, 0, 1, down))).toEqual([]);
  expect(look(counts(0, 0, 1, down))).toEqual(["unreachable 0: no TLS: certificate has expired"]);
});

test("Findings tells of answers that are refused, counts them, and stops some time after others are passed on", () => {
  const { look } = fixture();
  expect(look(counts(10))).toEqual([]);
  expect(look(counts(12, 2), { explain: "chunked twice" })).toEqual(["refused 2: chunked twice"]);
  expect(look(counts(12, 5), { explain: "chunked twice" })).toEqual(["refused 5: chunked twice"]);
  expect(look(counts(13, 5))).toEqual(["refused 5: chunked twice"]);
  expect(look(counts(14, 5), { afterMs: 30_000 })).toEqual([]);
});

test("Findings lets go of what nobody asks for any more", () => {
  const { look } = fixture();
  look(counts(0, 1), { explain: "chunked twice" });
  expect(look(counts(0, 1), { afterMs: 599_000 })).toHaveLength(1);
  expect(look(counts(0, 1), { afterMs: 600_000 })).toEqual([]);
});

test("Findings takes one request that failed for no finding, and a row of them for one", () => {
  const { look } = fixture();
  expect(look(counts(5, 1))).toEqual([]);
  expect(look(counts(9, 2))).toEqual([]);
  expect(look(counts(9, 3))).toEqual([]);
  expect(look(counts(9, 5))).toEqual(["unanswered 3: 3 requests in a row got no answer"]);
  expect(look(counts(9, 5))).toHaveLength(1);
  expect(look(counts(10, 5))).toEqual([]);
});

test("Findings takes totals that went down for those of a new worker", () => {
  const { look } = fixture();
  look(counts(100, 7));
  expect(look(counts(1, 0))).toEqual([]);
  expect(look(counts(1, 1), { explain: "chunked twice" })).toEqual(["refused 1: chunked twice"]);
});

test("Findings judges no answers of a TCP service", () => {
  const { look } = fixture({ ...OBSERVED, isTcp: true });
  for (let i = 1; i < 5; i++) expect(look(counts(0, i))).toEqual([]);
  expect(look(counts(0, 4, 1, REFUSED))).toHaveLength(1);
});

test("problemsOfFinding() names every instance of a server, or the default URL, with a count that changes seldom", () => {
  const { findings, look } = fixture({
    ...OBSERVED,
    instances: [
      { name: "one", version: "1" },
      { name: "two", version: "1" },
    ],
  });
  look(counts(0, 11), { explain: "chunked twice" });
  const [finding] = findings.list();
  expect(finding === undefined ? [] : problemsOfFinding(finding)).toMatchObject([
    {
      subject: "//foo@one",
      message: "live, but HAProxy refuses its answers: chunked twice (8 requests or more)",
      finding: { kind: "refused", count: 8, sinceMs: 1_005_000 },
    },
    { subject: "//foo@two" },
  ]);
  const alone =
    finding === undefined ? [] : problemsOfFinding({ ...finding, observed: { ...OBSERVED, instances: [] } });
  expect(alone).toMatchObject([
    { subject: "//foo", message: expect.stringContaining("its default URL: HAProxy refuses") },
  ]);
});

test.each([-3_600_000, 3_600_000])("Findings ends in its time though the wall clock jumps by %i ms", (wallMs) => {
  const { look } = fixture();
  look(counts(10));
  look(counts(12, 2), { explain: "chunked twice" });
  expect(look(counts(13, 2), { wallMs })).toEqual(["refused 2: chunked twice"]);
  expect(look(counts(14, 2), { wallMs, afterMs: 30_000 })).toEqual([]);
});
