import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { ago, refusal, run, text } from "../../testing/run.ts";

const step = (share: number, fields: object = {}) => ({
  share,
  forMs: 60_000,
  state: "waiting",
  startedAt: null,
  watchedMs: 0,
  requests: 0,
  checks: [],
  ...fields,
});
const verdict = {
  name: "error-rate <= 1%",
  state: "undecided",
  target: 0.25,
  baseline: 0.1,
  limit: 1,
  requests: 400,
  lower: 0.012345,
  upper: 1.73211,
};
const rollout = (fields: object = {}) => ({
  id: "7",
  service: "barker",
  target: "//barker(2)",
  from: null,
  state: "running",
  step: 0,
  steps: [step(10, { state: "running", watchedMs: 25_000, requests: 400, checks: [verdict] }), step(50)],
  reason: null,
  by: "ann@vm1",
  startedAt: ago(60_000),
  endedAt: null,
  ...fields,
});
const done = { distribution: null, notes: [], changed: true };
const answers = (one = rollout(), more: object = {}) => ({
  "GET /v1/rollouts": { rollouts: [one] },
  "GET /v1/rollouts/7": { rollouts: [one] },
  "POST /v1/rollouts": { rollouts: [one], ...done, needs: [], ...more },
  "POST /v1/rollouts/7/abort": { rollouts: [one], ...done },
});

test("rollout show prints the steps and what their checks say", async () => {
  expect((await run("rollout show 7", { answers: answers() })).stdout).toBe(text`
    rollout 7 of //barker(2) for any caller: running
    started by ann@vm1 1m ago

    STEP  SHARE  STATE    WATCHED    REQUESTS  CHECK             SAYS       TARGET  PRIMARY  LIMIT  BETWEEN
    1       10%  running  25s of 1m       400  error-rate <= 1%  undecided   0.25%     0.1%     1%  0.0123% to 1.73%
    2       50%  waiting  0s of 1m          0
  `);
});

test("rollout show and its follower say why a rollout goes on no further", async () => {
  const reason = "the gate of step 1 does not agree: it is answered with 503";
  const waits = answers(rollout({ reason }));
  expect((await run("rollout show 7", { answers: waits })).stdout).toMatch(
    /^rollout 7 .*: running\nthe gate of step 1/,
  );
  const ended = { ...rollout({ reason, endedAt: ago(0) }) };
  expect((await run("rollout show 7 --follow", { answers: answers(ended) })).stdout).toMatch(
    /undecided, 0.25%; the gate of step 1 does not agree: it is answered with 503\n$/,
  );
});

test("rollout list shows those that go on, and all with --all", async () => {
  const ended = answers(rollout({ state: "rolled-back", endedAt: ago(1_000), reason: "it failed" }));
  expect(await run("rollout list", { answers: ended })).toMatchObject({
    stdout: "",
    stderr: expect.stringContaining("--all"),
  });
  expect((await run("rollout list --all", { answers: ended })).stdout).toBe(text`
    ID  TARGET       FROM        STATE        STEP  SHARE  SINCE  BY
    7   //barker(2)  any caller  rolled-back   1/2     0%  1m     ann@vm1
  `);
  expect(JSON.parse((await run("rollout list --json", { answers: answers() })).stdout)).toMatchObject([{ id: "7" }]);
});

test.each([
  ["promoted", null, 0],
  ["rolled-back", "it failed", 1],
  ["aborted", "by bob", 1],
  ["paused", "lunch", 2],
])("rollout start --wait ends with what becomes of it: %s", async (state, reason, code) => {
  const { stdout, ...result } = await run("rollout start '//barker(2)' --wait", {
    answers: answers(rollout({ state, reason })),
  });
  expect(result.code ?? 0).toBe(code);
  expect(stdout).toBe(
    `Rollout 7 of //barker(2) has begun with 10%\n//barker(2) ${state}${reason === null ? "" : `: ${reason}`}\n`,
  );
});

test("rollout start sends what was typed, and nothing else", async () => {
  const line =
    "rollout start '//barker(2)' --from //monolith --steps 1%:5m,10%:10m --check 'error-rate <= 1%' --check 'p99 <= 300ms' --no-data fail --undecided wait --minimum 50 --step-timeout 30m --confidence 95% --sticky cookie:user --finish keep --dry-run";
  const { asked } = await run(line, { answers: answers() });
  expect(JSON.parse(asked[0]?.slice("POST /v1/rollouts ".length) ?? "")).toEqual({
    target: "//barker(2)",
    from: "//monolith",
    steps: "1%:5m,10%:10m",
    checks: ["error-rate <= 1%", "p99 <= 300ms"],
    no_data: "fail",
    undecided: "wait",
    minimum: 50,
    step_timeout: "30m",
    confidence: "95%",
    sticky: "cookie:user",
    finish: "keep",
    dryRun: true,
  });
});

test("rollout start reads a file, where options win", async () => {
  const folder = mkdtempSync(join(tmpdir(), "dw-rollout-"));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const file = join(folder, "barker.yaml");
  writeFileSync(file, "target: //barker(2)\nsteps: [1%:5m, { share: 10%, for: 10m, pause: true }]\nno_data: pass\n");
  const { asked } = await run(`rollout start --file ${file} --no-data pause`, { answers: answers() });
  expect(asked[0]).toContain('"steps":["1%:5m",{"share":"10%","for":"10m","pause":true}],"no_data":"pause"');
  writeFileSync(file, "target: //barker(2)\nstep: 1%:5m\n");
  expect(await run(`rollout start --file ${file}`)).toMatchObject({
    code: 64,
    stderr: expect.stringContaining("step"),
  });
  const refused = async (path: string): Promise<string> => {
    const { code, stderr } = await run(`rollout start --file ${path}`);
    expect(code).toBe(64);
    return stderr;
  };
  expect(await refused(`${file}.none`)).toBe(`dw: Cannot read ${file}.none: no such file or folder\n`);
  expect(await refused(folder)).toBe(`${folder}:1:1: Cannot read the file: it is a folder, wanted a file\n`);
  writeFileSync(file, "target: //barker(2)\nsteps: a: b\n");
  expect(await refused(file)).toMatch(/^\S+barker\.yaml:2:8: invalid YAML: .*; wanted quotes around/);
  expect(await run("rollout start")).toMatchObject({ code: 64, stderr: expect.stringContaining("there is no target") });
});

const inFile = async (content: string, options: Parameters<typeof run>[1] = { answers: answers() }) => {
  const folder = mkdtempSync(join(tmpdir(), "dw-rollout-"));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const file = join(folder, "barker.yaml");
  writeFileSync(file, content);
  const result = await run(`rollout start --file ${file}`, options);
  return { ...result, stderr: result.stderr.replaceAll(`${folder}/`, "") };
};

test("rollout start sends what a file says as it was typed, also where YAML reads a number", async () => {
  const { asked } = await inFile(
    "target: //barker(1.10)\nfrom: //2e3\nsteps: [{ share: 1.50, for: 2e3 }]\nconfidence: 99.0\nminimum: 20\n" +
      "checks: [{ metric: 1.10, prometheus: 'http://p', query: 0x10, limit: <= 0.50 }]\n",
  );
  expect(JSON.parse(asked[0]?.slice("POST /v1/rollouts ".length) ?? "")).toEqual({
    target: "//barker(1.10)",
    from: "//2e3",
    steps: [{ share: "1.50", for: "2e3" }],
    confidence: "99.0",
    minimum: 20,
    checks: [{ metric: "1.10", prometheus: "http://p", query: "0x10", limit: "<= 0.50" }],
    dryRun: false,
  });
});

test("rollout start takes variables in a file, and the target from the command line", async () => {
  const env = { VERSION: "1.10" };
  const { asked } = await inFile("target: //barker(${VERSION})\n", { answers: answers(), env });
  expect(asked[0]).toContain('"target":"//barker(1.10)"');
  expect(await inFile("target: //barker(${VERSION})\n")).toMatchObject({
    code: 64,
    stderr: "barker.yaml:1:9: the variable VERSION is not set in the environment\n",
  });
});

test.each([
  ["a key twice", "target: //a(2)\ntarget: //b(2)", "2:1: this key appears twice in the same mapping"],
  ["a key that is none", "target: //a(2)\nstep: 1%:5m", "2:1: step is not a known key: did you mean steps?"],
  ["a list", "- target: //a(2)", "1:1: the document is a list: wanted a mapping of keys to values"],
  ["nothing", "", "1:1: the file is empty"],
  [
    "no target",
    "finish: keep",
    "1:1: target is missing: wanted a version such as //barker(2), here or on the command line",
  ],
  ["an address that is none", "finish: keep\ntarget: barker", "2:9: Cannot read"],
  ["an address of a caller that is none", "target: //a(2)\nfrom: ////", "2:7: Cannot read"],
  [
    "what stands within a list",
    "target: //a(2)\nsteps: [1%:5m, { share: 5%, for: 5m, gate: ci }]",
    '2:44: steps[1].gate is "ci": wanted a URL',
  ],
  [
    "two of them at once",
    "target: [1]\nfinish: kept",
    '1:9: target is a list: wanted text\nbarker.yaml:2:9: finish is "kept"',
  ],
])("rollout start says where in its file there is %s", async (_what, content, said) => {
  const { code, stderr } = await inFile(content);
  expect(stderr).toContain(`barker.yaml:${said}`);
  expect(code).toBe(64);
});

test("rollout start says where in its file stands what the directory refuses, and of what was typed that alone", async () => {
  const said = 'steps: Cannot use "10%": wanted SHARE:DURATION, such as 10%:5m';
  const refuses = { answers: { "POST /v1/rollouts": refusal("invalid_argument", said) } };
  expect(await inFile("target: //barker(2)\nsteps: [10%]\n", refuses)).toMatchObject({
    code: 64,
    stderr: `barker.yaml:2:8: ${said}\n`,
  });
  expect(await run("rollout start '//barker(2)' --steps 10%", refuses)).toMatchObject({
    code: 64,
    stderr: `dw: ${said}\n`,
  });
});

test("rollout abort says why, and how it stands by then", async () => {
  const aborted = answers(rollout({ state: "aborted", reason: "aborted by ann: no" }));
  const { asked, stdout } = await run("rollout abort 7 --reason no", { answers: aborted });
  expect(asked).toEqual(['POST /v1/rollouts/7/abort {"reason":"no","dryRun":false}']);
  expect(stdout).toBe("rollout 7: //barker(2) aborted: aborted by ann: no\n");
});

test("rollout start --dry-run tells how long the checks need", async () => {
  const needs = [{ name: "error-rate <= 1%", requests: 585, seconds: [59, null] }];
  const { stdout } = await run("rollout start '//barker(2)' --dry-run", { answers: answers(rollout(), { needs }) });
  expect(stdout).toContain("error-rate <= 1%  585 requests     59s       -");
});
