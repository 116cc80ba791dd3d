import type { ReportedProblem } from "@datawire/protocol";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type Client, type Served, serve, sherlockOf, watsonOf } from "../testing/served.ts";
import { registration } from "../testing/worlds.ts";

/** What the proxies of two monoliths and of a worker find, and where that is shown. */
let served: Served;
let first: Client;
let second: Client;

const finding = (kind: string, subject: string, message: string): ReportedProblem => ({
  subject,
  message,
  remedy: "mend it",
  finding: { kind, count: 4, sinceMs: Date.UTC(2026, 10, 30) },
});
const UNREACHABLE = finding("unreachable", "//foo@one", "live, but HAProxy cannot use it: certificate has expired");
const REFUSED = finding("refused", "//foo@two", "live, but HAProxy refuses its answers: chunked twice");

async function report(client: Client, ...problems: readonly ReportedProblem[]): Promise<void> {
  client.send({ type: "problems", problems: [...problems] });
  // Messages are taken in order: the answer to this one says that the one before it was.
  client.send({ type: "is anybody there" });
  await client.next("error");
}

beforeAll(async () => {
  served = await serve();
  await watsonOf(served, "vm1", [registration("foo@one:1"), registration("foo@two:1"), registration("bar@one:1")]);
  first = await sherlockOf(served, "monolith");
  second = await sherlockOf(served, "monolith");
  await sherlockOf(served, "worker");
});
afterAll(() => served.stop());

const explained = async (caller: string): Promise<Record<string, unknown>> =>
  (await served.get(`/v1/explain?caller=${caller}&service=foo`)).body["explanation"] as Record<string, unknown>;

test("what a proxy finds is a problem in the status, and the reason of its instance in every list", async () => {
  await report(first, UNREACHABLE, REFUSED);
  const { body } = await served.get("/v1/status");
  expect(body["problems"]).toMatchObject([
    { severity: "warning", subject: "sherlock monolith: //foo@one", message: UNREACHABLE.message, remedy: "mend it" },
    { subject: "sherlock monolith: //foo@two" },
  ]);
  const told = [
    {
      name: "one",
      state: "live",
      reason: `monolith: ${UNREACHABLE.message}`,
      findings: [{ caller: "monolith", kind: "unreachable", count: 4, since: "2026-11-30T00:00:00.000Z" }],
    },
    { name: "two", reason: `monolith: ${REFUSED.message}` },
  ];
  expect((await served.get("/v1/services/foo")).body["service"]).toMatchObject({ instances: told });
  expect((await served.get("/v1/services")).body["services"]).toMatchObject([
    { service: "bar", instances: [{ name: "one", reason: null }] },
    { service: "foo", instances: told },
  ]);
  expect((await served.get("/v1/instances")).body["instances"]).toMatchObject([{ service: "bar" }, ...told]);
});

test("an instance is left out of what a caller gets when none of its proxies reaches it", async () => {
  await report(first, UNREACHABLE, REFUSED);
  await report(second, REFUSED);
  expect(await explained("monolith")).toMatchObject({
    shares: [{ instances: [{ name: "one" }, { name: "two" }] }],
    excluded: [],
    findings: [
      { name: "one", caller: "monolith", message: UNREACHABLE.message },
      { name: "two", caller: "monolith" },
      { name: "two", caller: "monolith" },
    ],
  });
  await report(second, UNREACHABLE);
  expect(await explained("monolith")).toMatchObject({
    shares: [{ percent: 100, instances: [{ name: "two", percent: 100 }] }],
    excluded: [{ name: "one", reason: `down: ${UNREACHABLE.message}` }],
  });
  expect(await explained("worker")).toMatchObject({ shares: [{ instances: [{ name: "one" }, { name: "two" }] }] });
  expect((await explained("worker"))["findings"]).toBeUndefined();
  expect(await explained("*")).toMatchObject({ shares: [{ instances: [{ name: "one" }, { name: "two" }] }] });
});

test("what is found no more is shown no more, and what makes no sense is a problem alone", async () => {
  await report(first, finding("unreachable", "no address", "x"), finding("unreachable", "//foo", "y"));
  await report(second);
  expect((await served.get("/v1/services/foo")).body["service"]).toMatchObject({
    instances: [{ reason: null }, { reason: null }],
  });
  expect((await explained("monolith"))["findings"]).toBeUndefined();
  expect((await served.get("/v1/status")).body["problems"]).toHaveLength(2);
});
