import { expect, test } from "vitest";
import { run, text } from "../../testing/run.ts";
import { answersOf, world } from "../../testing/world.ts";

const answers = answersOf(world());

test("instance list prints the instances of all services, or of one", async () => {
  const { stdout } = await run("instance list", { answers });
  expect(stdout.split("\n").map((line) => line.split(" ", 1)[0])).toEqual([
    "INSTANCE",
    "//barker@vm1",
    "//barker@vm2",
    "//barker@vm3",
    "//emitter@vm1",
    "",
  ]);
  expect((await run("instance list //emitter", { answers })).stdout).toBe(text`
    INSTANCE       VERSION  STATE  ROLE     SINCE  URL                          WHY
    //emitter@vm1  -        live   primary  1h     http://vm1.example.com:8080
  `);
  const [first] = JSON.parse((await run("instance list --json", { answers })).stdout) as unknown[];
  expect(first).toMatchObject({ service: "barker", name: "vm1", state: "live" });
});

test("instance drain and instance resume ask for it and pass on what the directory notes", async () => {
  const answer = { instance: "//barker@vm2", notes: [], changed: true };
  const drained = await run("instance drain //barker@vm2", { answers: { "POST /v1/instances/drain": answer } });
  expect(drained.asked).toEqual(['POST /v1/instances/drain {"instance":"//barker@vm2","dryRun":false}']);
  expect(drained.stdout).toBe("//barker@vm2 gets no new requests until `dw instance resume`\n");
  const again = { ...answer, notes: ["//barker@vm2 was not drained"], changed: false };
  const resumed = await run("instance resume //barker@vm2", { answers: { "POST /v1/instances/resume": again } });
  expect(resumed).toMatchObject({ code: 0, stdout: "", stderr: "note: //barker@vm2 was not drained\n" });
});

test("instance drain --dry-run shows where requests would go", async () => {
  const instances = [{ name: "vm1", url: "http://vm1", percent: 100 }];
  const shares = [{ target: "//barker", percent: 100, reason: "primary version 1", instances }];
  const distributions = [{ caller: "*", service: "barker", shares, excluded: [] }];
  const answer = { epoch: "e", revision: 1, instance: "//barker@vm2", distributions, notes: [], changed: false };
  const tried = await run("instance drain //barker@vm2 --dry-run", { answers: { "POST /v1/instances/drain": answer } });
  expect(tried.asked).toEqual(['POST /v1/instances/drain {"instance":"//barker@vm2","dryRun":true}']);
  expect(tried.stdout).toBe(text`
    Nothing is changed; it would be:
    CALLER  SERVICE  TARGET    SHARE  ROUTE  INSTANCES
    *       barker   //barker   100%  -      vm1: primary version 1
  `);
});

test.each(["//barker", "//barker(2)", "vm2"])("instance drain refuses %s", async (operand) => {
  const { code, stderr } = await run(`instance drain ${operand}`);
  expect(code).toBe(64);
  expect(stderr).toContain("wanted one instance, as in //");
});
