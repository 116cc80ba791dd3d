import { Command, Option } from "commander";
import { type Clock, systemClock } from "../time/clock.ts";
import { runCommandLine } from "./command-line.ts";
import { ConfigError, type Problem } from "../config/problem.ts";
import type { Env } from "../config/substitute.ts";
import type { DaemonInput } from "./daemon-input.ts";
import { type DaemonContext, type LifeDeps, runLife } from "./daemon-life.ts";
import { type ProcessLike, systemProcess } from "./daemon-process.ts";
import { type ExitCode, exitCodes } from "../errors/exit-codes.ts";
import { type LogFormat, type LogLevel, type Logger, createLog, logFormats, logLevels } from "../log/log.ts";
import type { LogStream } from "../log/log-text.ts";
import { tell } from "./tell.ts";
import { VERSION } from "./version.ts";

/** A command of a daemon beside its main one, such as `directory init`; it runs to its end and serves nothing. */
export interface DaemonCommand<Settings> {
  /** Commander's form: `backup <file>`. */
  readonly command: string;
  readonly summary: string;
  /** Adds options. */
  describe?(command: Command): void;
  run(context: CommandContext<Settings>): Promise<ExitCode | void>;
}

/** What a command gets to run with. */
export interface CommandContext<Settings> {
  readonly settings: Settings;
  readonly input: DaemonInput;
  readonly log: Logger;
  readonly clock: Clock;
  /** Aborts on SIGTERM and SIGINT. */
  readonly signal: AbortSignal;
  /** Writes a result to stdout. */
  print(text: string): void;
}

/** The definition of a daemon: its name, its options, how it loads its settings and how it runs. */
export interface DaemonDefinition<Settings> {
  readonly name: string;
  readonly summary: string;
  /** Adds the daemon's own options and operands to the program. */
  describe?(program: Command): void;
  /** Whether it has a settings file of its name, which `-c` replaces; default true. */
  readonly hasFile?: boolean;
  /** Reads the settings and binds nothing; throws ConfigError. Called again on SIGHUP. */
  load(input: DaemonInput): Promise<Settings>;
  /** What `--check` looks at beyond `load`: problems with which a daemon would still run. */
  check?(settings: Settings, input: DaemonInput): Promise<readonly Problem[]>;
  /** Serves until the signal aborts, and resolves when all that it started has ended. An exit code other than 0 may be returned. */
  run(context: DaemonContext<Settings>): Promise<ExitCode | void>;
  readonly commands?: readonly DaemonCommand<Settings>[];
  /** How long a stop may take before the process leaves with 1; default 60 s. */
  stopMsMax?(settings: Settings): number;
}

/** What a daemon is started with; the defaults are those of the process, tests bring their own. */
export interface DaemonDeps {
  readonly process?: ProcessLike;
  readonly clock?: Clock;
  /** Where the log goes; default: stderr. */
  readonly logStream?: LogStream;
  /** How the program was called, for help and messages: `dw watson`. Default: the daemon's name. */
  readonly calledAs?: string;
  /** Default: what follows the script in the process's own. */
  readonly argv?: readonly string[];
}

/**
 * Runs a daemon from command line to exit code: parses the flags that all daemons have, loads the settings, serves
 * until SIGTERM or SIGINT, and reports every failure in one line on stderr.
 */
export async function runDaemon<Settings>(
  definition: DaemonDefinition<Settings>,
  deps: DaemonDeps = {},
): Promise<ExitCode> {
  const process = deps.process ?? systemProcess;
  const life: LifeDeps = { process, clock: deps.clock ?? systemClock };
  const openLog = (input: DaemonInput): Logger => logOf(definition.name, input, deps.logStream);
  const name = deps.calledAs ?? definition.name;
  let code: ExitCode = exitCodes.done;
  const program = createProgram(name, definition, async (run) => {
    code = await run({ definition, life, openLog, endTelling });
  });
  const endTelling = process.onCrash((error) => {
    tell(error, { name, process });
    process.exit(exitCodes.failed);
  });
  try {
    const ended = await runCommandLine(program, deps.argv ?? process.argv.slice(2), process);
    return ended ?? code;
  } catch (error) {
    return tell(error, { name, process });
  } finally {
    endTelling();
  }
}

/** The command line of a daemon, for pages that describe it; it runs nothing. */
export function describeDaemon<Settings>(definition: DaemonDefinition<Settings>): Command {
  return createProgram(definition.name, definition, async () => {});
}

interface Running<Settings> {
  readonly definition: DaemonDefinition<Settings>;
  readonly life: LifeDeps;
  readonly openLog: (input: DaemonInput) => Logger;
  /** Ends the reporting of crashes on stderr, as a running daemon logs them. */
  readonly endTelling: () => void;
}

type Start<Settings> = (run: (running: Running<Settings>) => Promise<ExitCode>) => Promise<void>;

function createProgram<Settings>(
  name: string,
  definition: DaemonDefinition<Settings>,
  start: Start<Settings>,
): Command {
  const program = new Command(name).description(definition.summary).version(VERSION, "-V, --version");
  if (definition.hasFile !== false)
    program.option("-c, --config <file>", "settings file, over /etc/datawire and the user's own");
  program
    .helpOption("-h, --help", "show this help")
    .addOption(
      new Option("-d, --directory <address>", "directory to use; repeat for several")
        .argParser((value: string, before: string[]) => [...before, value])
        .default([] as string[], "from the settings, else //localhost/directory"),
    )
    .addOption(
      new Option("-l, --log-level <level>", "least important events to log").choices(logLevels).default("info"),
    )
    .addOption(
      new Option("--log-format <format>", "default: text on a terminal, JSON lines otherwise").choices(logFormats),
    )
    .option("--check", "validate the configuration, print every problem, and exit with 0 or 78")
    .allowExcessArguments(false)
    .showSuggestionAfterError();
  definition.describe?.(program);
  program.action(async () => start((running) => runMain(program, running)));
  for (const command of definition.commands ?? []) {
    const sub = program.command(command.command).description(command.summary).allowExcessArguments(false);
    command.describe?.(sub);
    sub.action(async () => start((running) => runCommand(sub, command, running)));
  }
  return program;
}

async function runMain<Settings>(
  program: Command,
  { definition, life, openLog, endTelling }: Running<Settings>,
): Promise<ExitCode> {
  const input = inputOf(program, life.process.env);
  const isCheck = input.options["check"] === true;
  const settings = await definition.load(input).catch((error: unknown) => {
    // For a check, whatever is wrong with the settings is bad configuration.
    throw isCheck && error instanceof ConfigError && error.exitCode === exitCodes.notAllowed
      ? new ConfigError(error.problems)
      : error;
  });
  if (isCheck) {
    const problems = (await definition.check?.(settings, input)) ?? [];
    if (problems.length > 0) throw new ConfigError(problems);
    return exitCodes.done;
  }
  const log = openLog(input);
  endTelling();
  return runLife(
    { name: definition.name, settings, input, stopMsMax: definition.stopMsMax?.(settings) ?? STOP_MS_MAX },
    { reload: () => definition.load(input), run: (context) => definition.run(context) },
    { ...life, log },
  );
}

async function runCommand<Settings>(
  sub: Command,
  command: DaemonCommand<Settings>,
  { definition, life, openLog }: Running<Settings>,
): Promise<ExitCode> {
  const input = inputOf(sub, life.process.env);
  const settings = await definition.load(input);
  const log = openLog(input);
  const stop = new AbortController();
  const undo = (["SIGTERM", "SIGINT"] as const).map((name) => life.process.onSignal(name, () => stop.abort()));
  const print = (text: string): void => life.process.stdout(text);
  try {
    return (
      (await command.run({ settings, input, log, clock: life.clock, signal: stop.signal, print })) ?? exitCodes.done
    );
  } finally {
    for (const end of undo) end();
  }
}

const STOP_MS_MAX = 60_000;

function inputOf(command: Command, env: Env): DaemonInput {
  const options = command.optsWithGlobals<Record<string, unknown>>();
  return {
    config: options["config"] as string | undefined,
    directories: options["directory"] as string[],
    options,
    args: command.processedArgs as (string | undefined)[],
    env,
  };
}

function logOf(name: string, { options }: DaemonInput, stream: LogStream | undefined): Logger {
  return createLog({
    name,
    level: options["logLevel"] as LogLevel,
    format: options["logFormat"] as LogFormat | undefined,
    stream,
  });
}
