import { expect, test } from "vitest";
import { z } from "zod";
import { ConfigError } from "../config/problem.ts";
import { loadSettings } from "../config/settings.ts";
import { type DaemonDefinition, runDaemon } from "./daemon.ts";
import type { DaemonContext } from "./daemon-life.ts";
import { ExitError, exitCodes } from "../errors/exit-codes.ts";
import { eventually } from "../testing/eventually.ts";
import { createFakeClock } from "../testing/fake-clock.ts";
import { createFakeProcess } from "../testing/fake-process.ts";

const schema = z.strictObject({ zone: z.string().default("a") });
interface Settings {
  readonly zone: string;
}

/** A daemon that serves until it is stopped. */
function watson(changes: Partial<DaemonDefinition<Settings>> = {}): DaemonDefinition<Settings> {
  return {
    name: "watson",
    summary: "Checks services",
    async load({ options, env }) {
      const flags = [{ from: "--zone", path: ["zone"], value: options["zone"] }];
      return (await loadSettings({ name: "watson", schema, env, flags, systemFolder: "/nonexistent" })).value;
    },
    describe: (program) => void program.argument("[address]").option("--zone <zone>", "where it runs"),
    run: untilStopped,
    ...changes,
  };
}

const untilStopped = ({ signal }: Pick<DaemonContext<Settings>, "signal">): Promise<void> =>
  new Promise((resolve) => signal.addEventListener("abort", () => resolve(), { once: true }));

function start(argv: readonly string[], changes: Partial<DaemonDefinition<Settings>> = {}) {
  const process = createFakeProcess(argv);
  const clock = createFakeClock();
  const logged: string[] = [];
  const logStream = { write: (text: string) => void logged.push(text) };
  let context: DaemonContext<Settings> | undefined;
  const definition = watson(changes);
  const run: DaemonDefinition<Settings>["run"] = (given) => definition.run((context = given));
  const code = runDaemon({ ...definition, run }, { process, clock, logStream });
  const started = async (): Promise<DaemonContext<Settings>> => {
    await eventually(() => expect(context).toBeDefined());
    return context as DaemonContext<Settings>;
  };
  return { process, clock, logged, code, started };
}

test.each(["SIGTERM", "SIGINT"] as const)("runDaemon() ends with 0 after %s, and leaves no listener", async (name) => {
  const { process, clock, code, started } = start([]);
  await started();
  process.signal(name);
  expect(await code).toBe(exitCodes.done);
  expect(process.listeners()).toBe(0);
  expect(clock.pending()).toBe(0);
});

test("runDaemon() leaves at once when it is asked again, and has what would stay behind ended before", async () => {
  const { process, clock, started } = start([], { run: () => new Promise(() => {}) });
  const { onLeave } = await started();
  const exitsThen: number[] = [];
  onLeave(() => exitsThen.push(process.exits.length));
  const end = onLeave(() => exitsThen.push(-1));
  end();
  process.signal("SIGTERM");
  await clock.advance(1_000);
  process.signal("SIGTERM");
  expect([process.exits, exitsThen]).toEqual([[exitCodes.failed], [0]]);
});

test("runDaemon() takes signals that come together for one: a process group gets what its leader sends on", async () => {
  const { process, clock, code, started } = start([], {
    run: ({ signal, clock: time }) => untilStopped({ signal }).then(() => time.sleep(1_500)),
  });
  await started();
  process.signal("SIGINT");
  process.signal("SIGINT");
  await clock.advance(999);
  process.signal("SIGTERM");
  expect(process.exits).toEqual([]);
  await clock.advance(501);
  expect(await code).toBe(exitCodes.done);
});

test("runDaemon() leaves when stopping takes longer than it may", async () => {
  const { process, clock, started } = start([], { run: () => new Promise(() => {}), stopMsMax: () => 5_000 });
  let left = 0;
  (await started()).onLeave(() => left++);
  process.signal("SIGTERM");
  await clock.advance(4_999);
  expect(process.exits).toEqual([]);
  await clock.advance(1);
  expect([process.exits, left]).toEqual([[exitCodes.failed], 1]);
});

test("runDaemon() hands over what the command line says", async () => {
  const { code, process, started } = start([
    "-d",
    "//a/directory",
    "//emitter",
    "-d",
    "//b/directory",
    "--zone",
    "z",
    "-c",
    "x.yaml",
  ]);
  const { input, settings } = await started();
  expect(input).toMatchObject({
    config: "x.yaml",
    directories: ["//a/directory", "//b/directory"],
    args: ["//emitter"],
  });
  expect(settings).toEqual({ zone: "z" });
  process.signal("SIGTERM");
  await code;
});

test.each<[string, readonly string[], number, string]>([
  ["an unknown flag", ["--zon"], 64, "watson: unknown option '--zon', did you mean --zone?; see `watson --help`\n"],
  [
    "too many operands",
    ["a", "b"],
    64,
    "watson: too many arguments. Expected 1 argument but got 2: a, b; see `watson --help`\n",
  ],
  [
    "a wrong choice",
    ["-l", "loud"],
    64,
    "watson: option '-l, --log-level <level>' argument 'loud' is invalid. Allowed choices are debug, info, warn, error; see `watson --help`\n",
  ],
])("runDaemon() --check with %s", async (_what, argv, code, stderr) => {
  const daemon = start([...argv, "--check"]);
  expect(await daemon.code).toBe(code);
  expect(daemon.process.printed.stderr).toBe(stderr);
});

test("runDaemon() prints every problem of the configuration and ends with 78", async () => {
  const problems = [
    { file: "/etc/a.yaml", line: 1, column: 2, message: "one" },
    { file: "/etc/b.yaml", line: 3, column: 4, message: "two" },
  ];
  const load = (): Promise<Settings> => Promise.reject(new ConfigError(problems));
  const { process, code } = start([], { load });
  expect(await code).toBe(exitCodes.badConfiguration);
  expect(process.printed.stderr).toBe("/etc/a.yaml:1:2: one\n/etc/b.yaml:3:4: two\n");
});

test.each([
  [[], exitCodes.notAllowed],
  [["--check"], exitCodes.badConfiguration],
])("runDaemon() %o says where a token is that is none, and ends with %i", async (argv, wanted) => {
  const problem = { file: "DATAWIRE_TOKEN", message: "it is malformed" };
  const load = (): Promise<Settings> => Promise.reject(new ConfigError([problem], exitCodes.notAllowed));
  const { process, code } = start(argv, { load });
  expect(await code).toBe(wanted);
  expect(process.printed.stderr).toBe("DATAWIRE_TOKEN: it is malformed\n");
});

test("runDaemon() --check looks further than the settings", async () => {
  const check = (): Promise<readonly [{ file: string; message: string }]> =>
    Promise.resolve([{ file: "/etc/d/x.yaml", message: "broken" }]);
  const { process, code } = start(["--check"], { check });
  expect(await code).toBe(exitCodes.badConfiguration);
  expect(process.printed.stderr).toBe("/etc/d/x.yaml: broken\n");
});

test.each<[string, Error, number]>([
  ["any error", new Error("Cannot bind", { cause: new Error("busy") }), exitCodes.failed],
  ["an ExitError", new ExitError(exitCodes.notAllowed, "Cannot bind: busy"), exitCodes.notAllowed],
])("runDaemon() tells %s in one line", async (_what, error, expected) => {
  const { process, code } = start([], { run: () => Promise.reject(error) });
  expect(await code).toBe(expected);
  expect(process.printed.stderr).toBe("watson: Cannot bind: busy\n");
});

test("runDaemon() logs an error that nobody caught, without a stack, and leaves with 1", async () => {
  const { process, logged, code, started } = start([]);
  await started();
  process.crash(new Error("broken invariant"));
  expect(process.exits).toEqual([exitCodes.failed]);
  expect(logged.join("")).toContain('"error":"broken invariant"');
  expect(process.printed.stderr).toBe("");
  process.signal("SIGTERM");
  await code;
});

test("runDaemon() tells a crash before the daemon runs in one line", async () => {
  let fail = (_error: Error): void => {};
  const { process, code } = start([], { load: () => new Promise((_resolve, reject) => (fail = reject)) });
  process.crash(new Error("broken invariant"));
  expect(process.exits).toEqual([exitCodes.failed]);
  fail(new Error("Cannot load"));
  await code;
  expect(process.printed.stderr).toBe("watson: broken invariant\nwatson: Cannot load\n");
  expect(process.listeners()).toBe(0);
});

test("runDaemon() rereads the settings on SIGHUP, and keeps the old ones when they are bad", async () => {
  let zone = "a";
  const load = (): Promise<Settings> =>
    zone === "bad"
      ? Promise.reject(new ConfigError([{ file: "w.yaml", message: "bad zone" }]))
      : Promise.resolve({ zone });
  const { process, logged, code, started } = start([], { load });
  const seen: string[] = [];
  (await started()).onReload((settings) => void seen.push(settings.zone));
  for (zone of ["b", "bad", "c"]) {
    const reported = logged.length;
    process.signal("SIGHUP");
    await eventually(() => expect(logged.length).toBeGreaterThan(reported));
  }
  expect(seen).toEqual(["b", "c"]);
  expect(logged.join("")).toContain("w.yaml: bad zone");
  process.signal("SIGTERM");
  expect(await code).toBe(exitCodes.done);
});

test("runDaemon() rereads nothing once it is stopping: what would be started anew has nobody to end it", async () => {
  const reloaded: Settings[] = [];
  const end = Promise.withResolvers<void>();
  const { process, code, started } = start([], { run: () => end.promise });
  const context = await started();
  context.onReload((settings) => void reloaded.push(settings));
  process.signal("SIGHUP");
  process.signal("SIGTERM");
  process.signal("SIGHUP");
  end.resolve();
  expect(await code).toBe(exitCodes.done);
  expect(reloaded).toEqual([]);
});

test("runDaemon() ends what a daemon has started when that fails", async () => {
  const { code, started } = start([], { run: () => Promise.reject(new Error("the port is taken")) });
  const { signal } = await started();
  expect(await code).toBe(exitCodes.failed);
  expect(signal.aborted).toBe(true);
});

test("runDaemon() passes SIGUSR1 to the daemon, which may stop itself", async () => {
  const { process, code, started } = start([]);
  const context = await started();
  context.onUserSignal(context.stop);
  process.signal("SIGUSR1");
  expect(await code).toBe(exitCodes.done);
});

test("runDaemon() runs a command beside the daemon, with flags of both", async () => {
  const { process, code } = start(["init", "-c", "x.yaml", "--force"], {
    commands: [
      {
        command: "init",
        summary: "Creates the store",
        describe: (command) => void command.option("--force", "over an old one"),
        run: ({ input, print }) => {
          print(`${input.config ?? ""} ${String(input.options["force"])}\n`);
          return Promise.resolve();
        },
      },
    ],
  });
  expect(await code).toBe(exitCodes.done);
  expect(process.printed.stdout).toBe("x.yaml true\n");
  expect(process.listeners()).toBe(0);
});
