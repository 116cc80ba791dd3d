import { Unreachable } from "@datawire/link/client";
import { expect, test } from "vitest";
import { refusal, run } from "../testing/run.ts";

test.each([
  ["rout list", "unknown command 'rout', did you mean route?"],
  [
    "promote //barker:2",
    "unknown command 'promote', did you mean dw service promote or dw rollout promote?; see `dw --help`",
  ],
  ["-d //a drain //barker@a --soon", "unknown command 'drain', did you mean dw instance drain?"],
  ["help rout", "unknown command 'rout', did you mean route?; see `dw --help`"],
  ["completion tcsh", "shell 'tcsh' is invalid. Allowed choices are bash, zsh, fish; see `dw completion --help`"],
  ["route lst", "unknown command 'lst', did you mean list?"],
  ["route list --jsn", "unknown option '--jsn', did you mean --json?"],
  ["route add //a", "missing required argument 'target'"],
  ["status now", "too many arguments for 'status'"],
  ["-d services route list", 'Cannot read directory address "services": wanted //HOST[:PORT]/directory'],
  ["route add //monolith //barker(2 10%", "quote the address, as in '//barker(2)'"],
  ["route add //monolith //barker (2) 10%", "quote the address, as in '//barker(2)'"],
  [
    "route add //bin //etc //usr //barker:2 10%",
    "the shell has put file names in the place of //*; quote it, as in '//*'",
  ],
  ["route add //monolith //barker:2 110%", 'Cannot use "110%" as a percentage: it is more than 100%'],
  ["route add //monolith //barker:2 -1%", 'Cannot use "-1%" as a percentage: wanted 0% to 100%'],
  ["route add //monolith //barker:2 -1", 'Cannot use "-1" as a percentage: wanted 0% to 100%'],
  ["route add //monolith //barker:2 10% --tomorrow", "see `dw route add --help`"],
  ["route add //Monolith //barker:2 10%", 'Cannot use "Monolith" as a caller or service name: it must be'],
])("runDw() tells %j in one line and ends with 64", async (line, expected) => {
  const { code, stdout, stderr, asked } = await run(line);
  expect({ code, stdout, asked }).toEqual({ code: 64, stdout: "", asked: [] });
  expect(stderr).toMatch(/^dw: [^\n]*\n$/);
  expect(stderr).toContain(expected);
});

test("runDw() prints help on stderr and ends with 64 when there is nothing to do", async () => {
  expect(await run("")).toMatchObject({ code: 64, stdout: "", stderr: expect.stringContaining("Usage: dw [options]") });
  expect(await run("route")).toMatchObject({ code: 64, stderr: expect.stringContaining("Usage: dw route") });
});

test("runDw() prints help and version on stdout when asked", async () => {
  expect(await run("--version")).toMatchObject({ code: 0, stdout: "0.1.0\n" });
  const help = await run("route add --help");
  expect(help).toMatchObject({ code: 0, stderr: "" });
  expect(help.stdout).toContain("Usage: dw route add [options] <source> <target> [percent]");
  expect(help.stdout).toContain("dw route add //monolith '//barker(2)' 10%");
});

test.each(["help", "--help"])("runDw() prints the help of dw for %s", async (line) => {
  expect(await run(line)).toMatchObject({
    code: 0,
    stdout: expect.stringContaining("Usage: dw [options]"),
    stderr: "",
  });
});

test.each(["-c route", "--json", "-d //services"])(
  "runDw() shows what every command takes where none is named: %s",
  async (line) => {
    expect((await run(line)).stderr).toBe((await run("")).stderr);
  },
);

test("runDw() prints the help of a noun for help NOUN, and of a verb", async () => {
  expect((await run("help route add")).stdout).toContain("Usage: dw route add");
  expect(await run("help route")).toMatchObject({ code: 0, stdout: expect.stringContaining("Usage: dw route") });
});

test.each([
  ["conflict", 1],
  ["not_found", 1],
  ["invalid_argument", 64],
  ["unavailable", 1],
  ["permission_denied", 77],
  ["unauthenticated", 77],
] as const)("runDw() ends a refusal with %s with %i", async (code, expected) => {
  const answers = { "GET /v1/routes": refusal(code, "Cannot list: \u001b[31mno") };
  expect(await run("route list", { answers })).toMatchObject({
    code: expected,
    stdout: "",
    stderr: "dw: Cannot list: \\u001b[31mno\n",
  });
});

test.each([
  ["service list", "GET /v1/services", {}],
  ["status", "GET /v1/status", { directory: {} }],
  ["route list -f", "GET /v1/callers", []],
  ["watch", "GET /v1/routes", { routs: [] }],
  ["explain a b", "GET /v1/explain?caller=a&service=b", { explanation: {} }],
])("runDw() says that an answer makes no sense: %s", async (line, path, answer) => {
  const { code, stderr } = await run(line, { answers: { [path]: answer } });
  expect(code).toBe(1);
  expect(stderr).toMatch(
    /^dw: Cannot make sense of the answer, which seems not to be that of a directory of version .*: .*\n$/,
  );
});

test("runDw() names what it tried when the directory is out of reach, says what to do, and ends with 69", async () => {
  const answers = { "GET /v1/routes": new Unreachable([{ address: "//a/directory", reason: "timed out" }]) };
  const { code, stderr } = await run("route list", { answers });
  expect(code).toBe(69);
  expect(stderr).toBe(
    "dw: Cannot reach the directory: //a/directory: timed out; is it running there? -d, DATAWIRE_DIRECTORY or `dw config set directory` name another\n",
  );
});

test.each([
  ["it answered GET /v1/routes with HTTP 404 and not as a directory does: is this the right address?", false],
  ["it does not speak TLS, or refuses ours", false],
  ["the name cannot be resolved now", false],
  ["connection refused: nothing listens there", true],
  ["no connection within 3 s", true],
])("runDw() asks whether a directory runs there only where nobody answered: %s", async (reason, expected) => {
  const { stderr } = await run("route list", {
    answers: { "GET /v1/routes": new Unreachable([{ address: "//a/directory", reason }]) },
  });
  expect(stderr.includes("is it running there?")).toBe(expected);
  expect(stderr).toContain("name another");
});

test.each(["-d //a -d //b status", "-d //a status -d //b", "status -d //a -d //b"])(
  "runDw() takes -d before and after the verb: %s",
  async (line) => {
    const down = (address: string) => ({ "GET /v1/status": new Unreachable([{ address, reason: "timed out" }]) });
    const { stderr, asked } = await run(line, { byHost: { a: down("//a/directory"), b: down("//b/directory") } });
    expect(stderr).toContain("//a/directory: timed out");
    expect(asked).toHaveLength(2);
  },
);

test.each(["--json route list", "route --json list", "route list --json"])(
  "runDw() takes --json as in %s",
  async (line) => {
    expect(await run(line, { answers: { "GET /v1/routes": { routes: [] } } })).toMatchObject({
      code: 0,
      stdout: "[]\n",
    });
  },
);

test.each([
  ["watson --check", "watson --check"],
  [
    "watson -d //a //services/emitter http://vm101/emitter 3",
    "watson -d //a //services/emitter http://vm101/emitter 3",
  ],
  ["-d //a sherlock --once --help", "sherlock --directory //a --once --help"],
  ["directory init -c x.yaml", "directory init -c x.yaml"],
])("runDw() starts a daemon with the rest of the line: %s", async (line, expected) => {
  expect(await run(line)).toMatchObject({ code: undefined, daemons: [expected], stderr: "" });
});
