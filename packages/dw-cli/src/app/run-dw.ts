import { AnswerError } from "@datawire/api";
import { type ErrorCode, ProtocolError, parseAddress, printable } from "@datawire/protocol";
import { Unreachable } from "@datawire/link/client";
import { type Env, type ExitCode, ExitError, exitCodes, VERSION, runCommandLine, tell } from "@datawire/runtime";
import type { CommonOptions } from "../grammar/common-options.ts";
import type { Dw, Input } from "../context/dw.ts";
import type { CommandGrammar } from "../grammar/command.ts";
import { COMMANDS } from "../program/commands.ts";
import { remedyOfUp } from "../io/background/remedy-of-up.ts";
import { type TerminalStreams, createOutput } from "../io/terminal-output.ts";
import type { Machine } from "../doctor/machine.ts";
import { checkPercent } from "../context/operands.ts";
import type { Output } from "../context/output.ts";
import { requireAuthorities } from "./authorities.ts";
import { createProgram } from "../program/program.ts";

/** What `dw` needs of the world. */
export interface DwDeps {
  readonly streams: TerminalStreams;
  readonly env: Env;
  /** Where the system's settings are; default `/etc/datawire`. */
  readonly systemFolder?: string | undefined;
  /** Loads the settings and makes what commands work with; nothing is asked of a directory before a command does. */
  connect(common: CommonOptions, output: Output): Promise<Connected>;
  startDaemon(name: string, args: readonly string[]): Promise<void>;
  machine(): Promise<Machine>;
}

/** The context of commands that ask a directory, until it is closed. */
export interface Connected extends Dw {
  close(): Promise<void>;
}

/**
 * Runs `dw` from command line to exit code; every failure is one line on stderr.
 * @returns undefined when a daemon was started, which decides its exit code itself.
 */
export async function runDw(argv: readonly string[], deps: DwDeps): Promise<ExitCode | undefined> {
  let code: ExitCode | undefined;
  const program = createProgram({
    run: async (grammar, input, common) => {
      code = (await runCommand(grammar, input, { common, deps })) ?? exitCodes.done;
    },
    startDaemon: (name, args) => deps.startDaemon(name, args),
    argv,
  });
  try {
    refuseMangled(argv);
    refuseNegative(argv);
    return (await runCommandLine(program, argv, deps.streams)) ?? code;
  } catch (error) {
    return tellError(await withRemedy(error, deps.env), deps.streams);
  }
}

async function runCommand(
  { action, operands }: CommandGrammar,
  input: Input,
  { common, deps }: { readonly common: CommonOptions; readonly deps: DwDeps },
): Promise<ExitCode | void> {
  const output = createOutput(deps.streams);
  let connected: Connected | undefined;
  const connect = async (): Promise<Connected> => (connected = await deps.connect(common, output));
  try {
    if (action.kind === "local") {
      const { run } = await action.load();
      const local = { env: deps.env, systemFolder: deps.systemFolder, machine: () => deps.machine() };
      const { configFile, directories } = common;
      return await run({ ...local, output, configFile, directories, connect, commands: COMMANDS }, input);
    }
    const [{ run }, dw] = await Promise.all([action.load(), connect()]);
    const work = requireAuthorities(dw, operands, input).then(() => run(dw, input));
    return await work.catch(blameAnswer);
  } finally {
    await connected?.close();
  }
}

/** What a shell makes of an address that is not quoted has to be recognised before its parts are taken for operands. */
function refuseMangled(argv: readonly string[]): void {
  const piece = argv.find((word) => /^\([^)]*\)?$/.test(word));
  if (piece !== undefined) {
    try {
      parseAddress(piece);
    } catch (error) {
      throw new ExitError(exitCodes.misused, error instanceof Error ? error.message : String(error));
    }
  }
  const roots = ["//bin", "//etc", "//usr"];
  if (roots.every((root) => argv.includes(root))) {
    throw new ExitError(
      exitCodes.misused,
      "Cannot read the addresses: the shell has put file names in the place of //*; quote it, as in '//*'",
    );
  }
}

/** A percentage below zero looks like an option, and "unknown option" would send its user looking for one. */
function refuseNegative(argv: readonly string[]): void {
  const negative = argv.find((word) => /^-[\d.,]+%$/.test(word));
  if (negative !== undefined) checkPercent(negative);
}

/** Says what went wrong, and with which exit code. */
function tellError(error: unknown, streams: TerminalStreams): ExitCode {
  const stderr = (text: string): void => streams.stderr(`${text.trimEnd().split("\n").map(printable).join("\n")}\n`);
  const code = tell(error, { name: "dw", process: { stderr } });
  return error instanceof ProtocolError ? (REFUSALS[error.code] ?? code) : code;
}

/** Refusals of the directory that are told apart from a failure; what it cannot read was typed. */
const REFUSALS: Readonly<Partial<Record<ErrorCode, ExitCode>>> = {
  invalid_argument: exitCodes.misused,
  unauthenticated: exitCodes.notAllowed,
  permission_denied: exitCodes.notAllowed,
};

function blameAnswer(error: unknown): never {
  if (!(error instanceof AnswerError)) throw error;
  const message = `Cannot make sense of the answer, which seems not to be that of a directory of version ${VERSION}`;
  throw new Error(message, { cause: error });
}

/** Nobody answered there; otherwise somebody did, who is no directory, or none that we know. */
const SILENCE = /^(?:connection refused|timed out|no connection|no route)/;

async function withRemedy(error: unknown, env: Env): Promise<unknown> {
  if (!(error instanceof Unreachable)) return error;
  const { attempts } = error;
  const isUps = attempts.every(({ address }) => address === "//localhost/directory");
  const ended = isUps ? await remedyOfUp("directory", env) : null;
  const question = attempts.some(({ reason }) => SILENCE.test(reason)) ? "is it running there? " : "";
  const remedy = ended ?? `${question}-d, DATAWIRE_DIRECTORY or \`dw config set directory\` name another`;
  return new ExitError(error.exitCode, `${error.message}; ${remedy}`);
}
