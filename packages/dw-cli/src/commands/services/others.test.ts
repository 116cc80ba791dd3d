import { expect, test } from "vitest";
import { ago, run, text } from "../../testing/run.ts";

test("caller list prints who is connected", async () => {
  const callers = [
    { name: "monolith", kind: "sherlock", version: "0.1.0", zone: "us-east-1a", revision: 7, since: ago(60_000) },
    { name: "worker", kind: "library", version: "0.1.0", zone: null, revision: null, since: ago(1_000) },
  ];
  const answers = { "GET /v1/callers": { callers } };
  expect((await run("caller list", { answers })).stdout).toBe(text`
    CALLER    KIND      VERSION  ZONE        REVISION  SINCE
    monolith  sherlock  0.1.0    us-east-1a         7  1m
    worker    library   0.1.0    -                  -  1s
  `);
  expect(JSON.parse((await run("caller list --json", { answers })).stdout)).toEqual(callers);
});

test.each([
  [0, "The guard holds nothing\n"],
  [1, "Released 1 instance\n"],
  [12, "Released 12 instances\n"],
])("guard release says that it released %i", async (released, expected) => {
  const answers = { "POST /v1/guard/release": { released } };
  expect(await run("guard release", { answers })).toMatchObject({ code: 0, stdout: expected });
});

test("guard release --dry-run says what would end, and of what nothing would be left", async () => {
  const services = [
    { service: "emitter", released: 1, left: 0 },
    { service: "barker", released: 2, left: 1 },
  ];
  const answers = { "POST /v1/guard/release?dryRun=true": { released: 3, services, notes: [], changed: false } };
  expect((await run("guard release --dry-run", { answers })).stdout).toBe(text`
    Nothing is changed; it would release 3 instances
    SERVICE  RELEASED  LEFT
    emitter         1     0
    barker          2     1
  `);
});
