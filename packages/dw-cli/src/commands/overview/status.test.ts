import type { Answer } from "@datawire/api";
import { Unreachable } from "@datawire/link/client";
import { expect, test } from "vitest";
import { healthyStatus } from "../../testing/answers.ts";
import { ago, run, text } from "../../testing/run.ts";

const troubled: Answer<"status"> = {
  ...healthyStatus,
  directory: { ...healthyStatus.directory, state: "warming", guard: { held: 12, reason: "12 of 20 leases would end" } },
  watsons: [
    { name: "vm101", id: "1", version: "0.1.0", state: "connected", since: ago(60_000), instances: 3, problems: [] },
    {
      name: "vm102",
      id: "2",
      version: "0.1.0",
      state: "lost",
      since: ago(5_000),
      instances: 1,
      problems: [{ subject: "/etc/datawire.d/x.yaml:3:1", message: "prot is not a known key: did you mean port?" }],
    },
  ],
  sherlocks: [{ name: "monolith", version: "0.1.0", revision: 5, lag: 2, since: ago(60_000), problems: [] }],
  problems: [{ severity: "warning", subject: "vm102", message: "out of sight", remedy: "look at its Watson" }],
};

test("status says that all is well, and what there is", async () => {
  expect((await run("status -d //a", { answers: { "GET /v1/status": healthyStatus } })).stdout).toBe(text`
    No problems

    //a/directory  ready  version 0.1.0, embedded store, up 1m 30s
      revision 7, 2 services, 4 instances, 1 route
  `);
});

test("status prints problems first, errors before warnings, with their remedies", async () => {
  const { code, stdout } = await run("status -d //a", { answers: { "GET /v1/status": troubled } });
  expect(code).toBe(0);
  expect(stdout).toBe(text`
    error: guard: 12 instances out of sight are kept: 12 of 20 leases would end
      find out why so many were lost at once; \`dw guard release\` lets them go
    warning: vm102: out of sight
      look at its Watson
    warning: watson vm102: /etc/datawire.d/x.yaml:3:1: prot is not a known key: did you mean port?
    warning: sherlock monolith: behind by 2 revisions
      if it does not catch up in a few seconds, its log says why

    //a/directory  warming  version 0.1.0, embedded store, up 1m 30s
      revision 7, 2 services, 4 instances, 1 route

    WATSON  STATE      INSTANCES  VERSION  SINCE
    vm101   connected          3  0.1.0    1m
    vm102   lost               1  0.1.0    5s

    SHERLOCK  REVISION  BEHIND  VERSION  SINCE
    monolith         5       2  0.1.0    1m
  `);
});

const replica = (address: string, startedAt: string, self: boolean) => ({
  id: address,
  address,
  version: "0.1.0",
  startedAt,
  self,
});

test("status shows the directories that share a store, where there are several", async () => {
  const replicas = [replica("//a/directory", ago(90_000), true), replica("//b/directory", ago(3_600_000), false)];
  const directory = { ...healthyStatus.directory, store: "etcd" };
  const answerOf = (some: typeof replicas) => ({ "GET /v1/status": { ...healthyStatus, directory, replicas: some } });
  expect((await run("status -d //a", { answers: answerOf(replicas) })).stdout).toBe(text`
    No problems

    //a/directory  ready  version 0.1.0, etcd store, up 1m 30s
      revision 7, 2 services, 4 instances, 1 route

    REPLICA                  VERSION  UP
    //a/directory (answers)  0.1.0    1m 30s
    //b/directory            0.1.0    1h
  `);
  expect((await run("status -d //a", { answers: answerOf(replicas.slice(0, 1)) })).stdout).not.toContain("REPLICA");
});

const down = { "GET /v1/status": new Unreachable([{ address: "//b/directory", reason: "timed out" }]) };

test("status has a section for each directory, and names the one that is out of reach", async () => {
  const byHost = { a: { "GET /v1/status": healthyStatus }, b: down };
  const { code, stdout } = await run("status -d //a -d //b", { byHost });
  expect(code).toBe(0);
  expect(stdout).toContain("error: //b/directory: Cannot reach the directory: timed out\n");
  expect(stdout).toContain("//a/directory  ready");
  const json = await run("status -d //a -d //b --json", { byHost });
  expect(JSON.parse(json.stdout)).toEqual([
    { address: "//a/directory", status: healthyStatus, error: null },
    { address: "//b/directory", status: null, error: "timed out" },
  ]);
});

test("status ends with 69 only when no directory answers", async () => {
  expect(await run("status -d //b", { answers: down })).toMatchObject({ code: 69, stdout: "" });
});

/** Much of everything, of which two agents are not well. */
const crowded: Answer<"status"> = {
  ...healthyStatus,
  watsons: Array.from({ length: 60 }, (_, i) => ({
    name: `vm${i}`,
    id: String(i),
    version: "0.1.0",
    state: i === 50 ? ("lost" as const) : ("connected" as const),
    since: ago(60_000),
    instances: 3,
    problems: [],
  })),
  problems: Array.from({ length: 40 }, (_, i) => ({
    severity: i < 30 ? ("error" as const) : ("warning" as const),
    subject: `//service-${i}`,
    message: "down",
    remedy: null,
  })),
  counts: { ...healthyStatus.counts, problems: 45 },
};

test("status keeps to what is worst where somebody looks on and there are hundreds, and says how to see all", async () => {
  const { stdout } = await run("status -d //a", { answers: { "GET /v1/status": crowded }, width: 100 });
  expect(stdout.match(/^error: /gm)).toHaveLength(25);
  expect(stdout).toContain(
    "and 20 problems more, none of them worse: `dw status | less` has all but the 5 that the directory leaves out\n",
  );
  expect(stdout.match(/^vm\d+ /gm)).toHaveLength(25);
  expect(stdout).toMatch(/^WATSON .*\nvm50 +lost /m);
  expect(stdout).toContain("\nand 35 more: `dw status | less` has all\n");
});

test("status prints all of them to a pipe, and how many the directory leaves out", async () => {
  const { stdout } = await run("status -d //a", { answers: { "GET /v1/status": crowded } });
  expect(stdout.match(/^(error|warning): /gm)).toHaveLength(40);
  expect(stdout).toContain("\nand 5 problems more, none of them worse, which the directory leaves out\n");
  expect(stdout.match(/^vm\d+ /gm)).toHaveLength(60);
});
