import { expect, test } from "vitest";
import { run, text } from "../../testing/run.ts";
import { answersOf, world } from "../../testing/world.ts";

const answers = answersOf(world());

test("explain prints where a request would go, and why the others get none", async () => {
  const { stdout } = await run("explain //monolith //barker", { answers });
  expect(stdout).toBe(
    text`
    monolith to barker
    SHARE  TARGET       URL                          WHY
      10%  //barker(2)                               a route for monolith
      10%    vm3        http://vm3.example.com:8080
      90%  //barker                                  the primary, version 1
      90%    vm1        http://vm1.example.com:8080

    GETS NOTHING  WHY
    vm2           down: HTTP 503 \u001b[31m
  `.replace("\u001b", "\\u001b"),
  );
});

test("explain takes plain names, any caller, and a path", async () => {
  const answer = answers["GET /v1/explain?caller=monolith&service=barker"];
  const path = "GET /v1/explain?caller=*&service=barker&path=%2Forders%3Fx%3D1";
  expect(await run("explain * barker orders?x=1", { answers: { [path]: answer } })).toMatchObject({ code: 0 });
});

test("explain --json prints the explanation", async () => {
  const { stdout } = await run("explain monolith barker --json", { answers });
  expect(JSON.parse(stdout)).toMatchObject({
    caller: "monolith",
    service: "barker",
    shares: [
      { target: "//barker(2)", percent: 10, reason: "a route for monolith", instances: [{ name: "vm3", percent: 10 }] },
      {
        target: "//barker",
        percent: 90,
        instances: [{ name: "vm1", url: "http://vm1.example.com:8080", percent: 90 }],
      },
    ],
    excluded: [{ name: "vm2" }],
  });
});

test("explain prints what the caller's proxies find of instances that get requests", async () => {
  const finding = { caller: "monolith", kind: "refused", count: 2, since: "2026-11-30T00:00:00.000Z" };
  const explanation = {
    caller: "monolith",
    service: "barker",
    shares: [],
    excluded: [{ name: "vm1", reason: "down: no TLS" }],
    findings: [
      { ...finding, name: "vm1", message: "no TLS" },
      { ...finding, name: "vm2", message: "live, but HAProxy refuses its answers: chunked twice" },
    ],
  };
  const path = "GET /v1/explain?caller=monolith&service=barker";
  const { stdout } = await run("explain monolith barker", { answers: { [path]: { explanation } } });
  expect(stdout).toBe(text`
    monolith to barker: nothing is live, so requests get 503

    GETS NOTHING  WHY
    vm1           down: no TLS

    ASKED IN VAIN  BY        WHY
    vm2            monolith  live, but HAProxy refuses its answers: chunked twice
  `);
});

test("explain says that nothing is live", async () => {
  const nothing = { explanation: { caller: "*", service: "barker", shares: [], excluded: [] } };
  const { stdout } = await run("explain * barker", { answers: { "GET /v1/explain?caller=*&service=barker": nothing } });
  expect(stdout).toBe("any caller to barker: nothing is live, so requests get 503\n");
});

test("explain says where sessions go before the shares", async () => {
  const sessions = {
    cookie: "SERVERID",
    instances: [
      { name: "vm2", url: "http://vm2" },
      { name: "vm1", url: "http://vm1" },
    ],
  };
  const explanation = { caller: "*", service: "barker", shares: [], excluded: [], sessions };
  const of = async (what: object) =>
    (await run("explain * barker", { answers: { "GET /v1/explain?caller=*&service=barker": { explanation: what } } }))
      .stdout;
  expect(await of(explanation)).toContain(
    "Sessions go first, by the cookie SERVERID, to vm1, vm2; the shares are those of new ones\n",
  );
  expect(await of({ ...explanation, sessions: { ...sessions, instances: [] } })).toContain(
    "Sessions, by the cookie SERVERID: none can live anywhere now\n",
  );
});

test("explain wants a path and no URL", async () => {
  const { code, stderr, asked } = await run("explain //monolith //barker http://localhost:5432/barker/orders");
  expect({ code, asked }).toEqual({ code: 64, asked: [] });
  expect(stderr).toContain("wanted what follows /barker in a URL, such as /orders?beta=1");
});
