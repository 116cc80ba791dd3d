import { catalogOf } from "@datawire/catalog/testing";
import { listService } from "@datawire/routing";
import { expect, test } from "vitest";
import { refusal, run, text } from "../../testing/run.ts";
import { answersOf, world } from "../../testing/world.ts";

const answers = answersOf(world());
const done = { epoch: "e", revision: 8, service: "barker", settings: null, notes: [], changed: true };

test("service list prints how each service stands", async () => {
  expect((await run("service list", { answers })).stdout).toBe(text`
    SERVICE  STATUS  PRIMARY  LIVE  HELD  PROTOCOL  WHY
    barker   live    1         2/3     0  http
    emitter  live    -         1/1     0  http
  `);
});

test("service list calls a service of messages without instances a queue, and not down", async () => {
  const services = [{ name: "microchat", primary: null, protocol: "amqp", declared: true }] as never;
  const listed = listService(catalogOf([], { services }), "microchat");
  const { stdout } = await run("service list", { answers: { "GET /v1/services": { services: [listed] } } });
  expect(stdout).toMatch(
    /^microchat +queue +- +0\/0 +0 +amqp +no instance was ever registered; messages for it wait at its/m,
  );
});

test("service list --json keeps the shape that scripts rely on", async () => {
  const [barker] = JSON.parse((await run("service list --json", { answers })).stdout) as {
    instances: unknown[];
  }[];
  expect(barker).toMatchObject({ service: "barker", protocol: "http", primary: "1", status: "live" });
  expect(barker?.instances[2]).toEqual({
    name: "vm3",
    version: "2.0",
    url: "http://vm3.example.com:8080",
    protocol: "http",
    state: "live",
    role: "routed",
    reason: null,
    zone: "us-east-1a",
    since: "2026-11-20T11:00:00.000Z",
    weight: 100,
    tags: [],
  });
});

test("service show prints settings and instances, and nothing raw", async () => {
  const { stdout } = await run("service show //barker", { answers });
  expect(stdout).toBe(
    text`
    service   barker
    status    live
    primary   1
    protocol  http
    declared  no, it goes with its last instance

    INSTANCE  VERSION  STATE  ROLE     SINCE  URL                          WHY
    vm1       1.0      live   primary  1h     http://vm1.example.com:8080
    vm2       1.1      down   primary  1h     http://vm2.example.com:8080  HTTP 503 \u001b[31m
    vm3       2.0      live   routed   1h     http://vm3.example.com:8080
  `.replace("\u001b", "\\u001b"),
  );
});

test("service show shows durations as they are typed", async () => {
  const shown = answers["GET /v1/services/barker"] as { settings: object };
  const settings = { ...shown.settings, timeoutMs: 30_000, failover: "none", defaultUrl: "http://x" };
  const { stdout } = await run("service show barker", {
    answers: { "GET /v1/services/barker": { ...shown, settings } },
  });
  expect(stdout).toMatch(/^default +http:\/\/x\nfailover +none\ntimeout +30s\n/m);
});

test("service show passes on what the directory says of a name that it does not know", async () => {
  const message = "Cannot show //barkr: there is no such service; did you mean //barker?";
  const refused = { "GET /v1/services/barkr": refusal("not_found", message) };
  expect(await run("service show //barkr", { answers: refused })).toMatchObject({
    code: 1,
    stderr: `dw: ${message}\n`,
  });
});

test("service add and service set read their settings", async () => {
  const added = await run(
    "service add //barker --primary 1 --protocol h2 --default http://barker.example.com --balance random --timeout 30 --retries 0",
    { answers: { "POST /v1/services": done } },
  );
  expect(added).toMatchObject({ code: 0, stdout: "//barker is added\n" });
  expect(added.asked).toEqual([
    'POST /v1/services {"service":"//barker","primary":"1","protocol":"h2","defaultUrl":"http://barker.example.com","balance":"random","timeoutMs":30000,"retries":0}',
  ]);
  const set = await run("service set barker --no-default --failover none --slow-start 500ms", {
    answers: { "PUT /v1/services/barker": done },
  });
  expect(set.asked).toEqual(['PUT /v1/services/barker {"defaultUrl":null,"failover":"none","slowStartMs":500}']);
  expect(set.stdout).toBe("//barker: default=none, failover=none, slow-start=500ms\n");
});

test.each([
  ["service set //barker", "there is nothing to set"],
  ["service set //barker --balance fair", 'Cannot use "fair" as balance'],
  ["service set //barker --retries many", 'Cannot use "many" as --retries: wanted a number from 0 to 10'],
  ["service set //barker --retries 11", "wanted a number from 0 to 10"],
  ["service set //barker --max-connections 0", 'Cannot use "0" as --max-connections: wanted a number from 1'],
  ["service set //barker --queue-timeout 0", 'Cannot use "0" as a time limit: wanted more than 0s'],
  ["service set //barker --failover some", "Allowed choices are any, none"],
  ["service set //barker(2) --retries 1", "wanted a whole service, as in //barker"],
  ["service add //barker --primary 1/2", 'Cannot use "1/2" as a version'],
  ["service promote //barker@vm1", "wanted a version, as in '//barker(2)'"],
  ["service promote //barker:1.4", 'Cannot use "1.4" as a primary: a primary is the first part of versions, wanted 1'],
  ["service add //barker --primary 1.4", "a primary is the first part of versions, wanted 1"],
])("%s is refused before anything is asked", async (line, message) => {
  const { code, stderr, asked } = await run(line);
  expect({ code, asked }).toEqual({ code: 64, asked: [] });
  expect(stderr).toContain(message);
});

test("service promote and service remove say what they did", async () => {
  const path = "POST /v1/services/barker/promote";
  const notes = ["routes that named it are gone, for monolith"];
  const promoted = await run("service promote //barker:2", {
    answers: { [path]: { ...done, distribution: null, notes } },
  });
  expect(promoted).toMatchObject({
    stdout: "The primary of //barker is now version 2\n",
    stderr: "note: routes that named it are gone, for monolith\n",
  });
  expect(promoted.asked).toEqual([`${path} {"generation":"2","dryRun":false}`]);
  const tried = await run("service promote //barker --dry-run", {
    answers: { [path]: { ...done, distribution: null, changed: false } },
  });
  expect(tried.stdout).toBe("The primary of //barker would be without a version\n");
  expect(tried.asked).toEqual([`${path} {"generation":null,"dryRun":true}`]);
  const removed = await run("service remove //barker", { answers: { "DELETE /v1/services/barker": done } });
  expect(removed).toMatchObject({ code: 0, stdout: "//barker is removed\n" });
});

test("service add, set and remove with --dry-run say what they would do, and have the directory do nothing", async () => {
  const tried = { ...done, changed: false, notes: ["it is tried"] };
  const added = await run("service add //barker --balance random --dry-run", {
    answers: { "POST /v1/services": tried },
  });
  expect(added.asked).toEqual(['POST /v1/services {"service":"//barker","balance":"random","dryRun":true}']);
  expect(added.stdout).toBe("Nothing is changed; //barker would be added\n");
  const set = await run("service set //barker --balance random --no-timeout --dry-run", {
    answers: { "PUT /v1/services/barker": tried },
  });
  expect(set.asked).toEqual(['PUT /v1/services/barker {"balance":"random","timeoutMs":null,"dryRun":true}']);
  expect(set).toMatchObject({
    stdout: "Nothing is changed; it would be //barker: balance=random, timeout=default\n",
    stderr: "note: it is tried\n",
  });
  const path = "DELETE /v1/services/barker?dryRun=true";
  const removed = await run("service remove //barker --dry-run", { answers: { [path]: tried } });
  expect(removed.asked).toEqual([path]);
  expect(removed.stdout).toBe("Nothing is changed; //barker would be removed\n");
});

test.each([
  ["service list ark", ["barker"]],
  ["service list //emitter", ["emitter"]],
  ["service list --status live", ["barker", "emitter"]],
  ["service list --status down", []],
  ["service list barker --status down", []],
])("%s lists what is looked for", async (line, expected) => {
  const listed = JSON.parse((await run(`${line} --json`, { answers })).stdout) as { readonly service: string }[];
  expect(listed.map(({ service }) => service)).toEqual(expected);
  const { stdout, stderr } = await run(line, { answers });
  expect(stdout.match(/^(barker|emitter) /gm) ?? []).toHaveLength(expected.length);
  expect(stderr).toBe(expected.length === 0 ? "note: none of 2 services fits\n" : "");
});
