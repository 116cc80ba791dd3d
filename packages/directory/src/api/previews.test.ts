import { expect, onTestFinished, test } from "vitest";
import { serveGuardedInMemory } from "../testing/memory/guarded-in-memory.ts";
import { serveInMemory } from "../testing/memory/served-in-memory.ts";
import { watsonOf } from "../testing/served.ts";
import { registration } from "../testing/worlds.ts";

async function start(config: Parameters<typeof serveInMemory>[0] = {}) {
  const served = await serveInMemory(config);
  onTestFinished(() => served.stop());
  return served;
}

/** The instances that get something, by caller. */
function targets(body: Record<string, unknown>): string[] {
  const all = body["distributions"] as {
    caller: string;
    service: string;
    shares: { percent: number; target: string; instances: { name: string; percent: number }[] }[];
  }[];
  return all.map(({ caller, service, shares }) => {
    const parts = shares.map(
      (one) => `${one.target} ${one.percent} [${one.instances.map(({ name }) => name).join(",")}]`,
    );
    return `${caller}>${service}: ${parts.join(", ")}`;
  });
}

test("a drain and its end show beforehand where the requests of every caller would go, and change nothing", async () => {
  const served = await start();
  await watsonOf(
    served,
    "vm1",
    ["barker@a:1", "barker@b:1", "barker@c:2"].map((text) => registration(text)),
  );
  await served.send("POST", "/v1/routes", { source: "//monolith", target: "//barker(2)", percent: 10, ahead: true });
  const drain = (fields: object) => served.send("POST", "/v1/instances/drain", { instance: "//barker@b", ...fields });
  const before = await served.get("/v1/table");

  const tried = await drain({ dryRun: true });
  expect(tried.body).toMatchObject({ instance: "//barker@b", notes: [], changed: false });
  const drained = ["*>barker: //barker 100 [a]", "monolith>barker: //barker(2) 10 [c], //barker 90 [a]"];
  expect(targets(tried.body)).toEqual(drained);
  expect((await served.get("/v1/table")).body).toEqual(before.body);

  const done = await drain({});
  expect(done.body).toMatchObject({ changed: true });
  expect(targets(done.body)).toEqual(drained);

  const resumed = ["*>barker: //barker 100 [a,b]", "monolith>barker: //barker(2) 10 [c], //barker 90 [a,b]"];
  const resume = await served.send("POST", "/v1/instances/resume", { instance: "//barker@b", dryRun: true });
  expect(targets(resume.body)).toEqual(resumed);
  const undo = await served.send("POST", "/v1/routes/undo", { dryRun: true });
  expect(undo.body).toMatchObject({ undone: "instance drain //barker@b", changed: false });
  expect(targets(undo.body)).toEqual(resumed);
  expect(targets((await served.get("/v1/distributions")).body)).toEqual(drained);
});

test("an undo shows beforehand what the requests of that caller alone would come to", async () => {
  const served = await start();
  await watsonOf(
    served,
    "vm1",
    ["barker@a:1", "barker@c:2"].map((text) => registration(text)),
  );
  const set = (percent: number) =>
    served.send("POST", "/v1/routes", { source: "//monolith", target: "//barker(2)", percent, ahead: true });
  await set(10);
  await set(50);
  const tried = await served.send("POST", "/v1/routes/undo", { dryRun: true });
  expect(targets(tried.body)).toEqual(["monolith>barker: //barker(2) 10 [c], //barker 90 [a]"]);
  const done = await served.send("POST", "/v1/routes/undo", {});
  expect(targets(done.body)).toEqual(targets(tried.body));
});

test("an undo of a promotion shows the primary that it brings back", async () => {
  const served = await start();
  await watsonOf(
    served,
    "vm1",
    ["barker@a:1", "barker@c:2"].map((text) => registration(text)),
  );
  await served.send("POST", "/v1/services/barker/promote", { generation: "2" });
  const tried = await served.send("POST", "/v1/routes/undo", { dryRun: true });
  expect(targets(tried.body)).toEqual(["*>barker: //barker 100 [a]"]);
  expect(targets((await served.send("POST", "/v1/routes/undo", {})).body)).toEqual(targets(tried.body));
});

test("the guard tells beforehand what would end, and of what nothing would be left", async () => {
  const served = await start({ guard: { share: 0.5, minimum: 1 } });
  const idle = await served.send("POST", "/v1/guard/release?dryRun=true", {});
  expect(idle.body).toMatchObject({ released: 0, services: [], notes: ["the guard holds nothing"], changed: false });
  const lost = await watsonOf(
    served,
    "vm1",
    ["barker@a:1", "barker@b:1", "emitter@a"].map((text) => registration(text)),
  );
  await watsonOf(served, "vm2", [registration("barker@c:1")]);
  lost.client.socket.terminate();
  await served.clock.advance(20_000);
  const tried = await served.send("POST", "/v1/guard/release?dryRun=true", {});
  const services = [
    { service: "emitter", released: 1, left: 0 },
    { service: "barker", released: 2, left: 1 },
  ];
  expect(tried.body).toMatchObject({ released: 3, services, notes: [], changed: false });
  expect((await served.get("/v1/status")).body).toMatchObject({ directory: { guard: { held: 3 } } });
  const done = await served.send("POST", "/v1/guard/release", {});
  expect(done.body).toMatchObject({ released: 3, services, changed: true });
});

test("a token is tried without being made, with the moment of its end, and refused as when it is made", async () => {
  const guarded = await serveGuardedInMemory();
  onTestFinished(() => guarded.stop());
  const admin = await guarded.create("admin");
  const ask = async (path: string, method: string, body?: object) => {
    const answer = await guarded.ask(path, { token: admin.token, method, body });
    return { status: answer.status, body: JSON.parse(String(answer.body)) as Record<string, unknown> };
  };
  const tokens = async () => (await ask("/v1/tokens", "GET")).body["tokens"] as { id: string }[];
  const before = await tokens();

  const tried = await ask("/v1/tokens", "POST", { role: "watson", expires: "1h", dryRun: true });
  expect(tried.body).toMatchObject({
    id: null,
    token: null,
    role: "watson",
    changed: false,
    notes: ["it may register any service"],
    expires: new Date(guarded.clock.nowMs() + 3_600_000).toISOString(),
  });
  const refused = await ask("/v1/tokens", "POST", { role: "viewer", services: ["a-*"], dryRun: true });
  expect(refused.status).toBe(400);
  expect(await tokens()).toEqual(before);

  const made = await ask("/v1/tokens", "POST", { role: "viewer" });
  expect(made.body).toMatchObject({ token: expect.any(String), changed: true, notes: [] });
  const id = String(made.body["id"]);
  await guarded.ask("/v1/session", { method: "POST", body: { token: made.body["token"] } });
  const ending = await ask(`/v1/tokens/${id}?dryRun=true`, "DELETE");
  expect(ending.body).toMatchObject({ revoked: { id, role: "viewer" }, sessions: 1, notes: [], changed: false });
  expect((await tokens()).map((one) => one.id)).toContain(id);
  expect((await ask(`/v1/tokens/${id}`, "DELETE")).body).toMatchObject({ sessions: 1, changed: true });
  expect((await ask(`/v1/tokens/${id}?dryRun=true`, "DELETE")).status).toBe(404);
  for (const one of before.filter((other) => other.id !== admin.id)) await ask(`/v1/tokens/${one.id}`, "DELETE");
  const last = await ask(`/v1/tokens/${admin.id}?dryRun=true`, "DELETE");
  expect(last.body["notes"]).toEqual([
    "it is the token that you use yourself",
    "it is the last one of role admin that holds: nobody can make or revoke tokens from then on",
  ]);
});
