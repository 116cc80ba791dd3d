import { maskSecrets } from "@datawire/protocol";
import { type Command, CommanderError } from "commander";
import { type ExitCode, exitCodes } from "../errors/exit-codes.ts";

/** Where a command writes: results on stdout, everything else on stderr. */
export interface CommandOutput {
  stdout(text: string): void;
  stderr(text: string): void;
}

/**
 * Runs a commander program. Help and version end with 0; a misused command line is one line on stderr with a
 * suggestion, and 64. Errors of the actions themselves pass through.
 * @returns the exit code when commander ended the run itself, undefined when an action ran.
 */
export async function runCommandLine(
  program: Command,
  argv: readonly string[],
  output: CommandOutput,
): Promise<ExitCode | undefined> {
  let said = "";
  let speaker = program;
  for (const command of allCommands(program)) {
    command.exitOverride().configureOutput({
      writeOut: (text) => output.stdout(text),
      writeErr: (text) => {
        [said, speaker] = [text, command]; // told below, in one line
      },
    });
  }
  try {
    await program.parseAsync([...argv], { from: "user" });
    return undefined;
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    if (error.exitCode === 0) return exitCodes.done;
    if (error.code === "commander.help") output.stderr(said); // the help of whichever command lacks its verb
    else
      output.stderr(
        `${program.name()}: ${maskSecrets(usageMessage(error.message))}; see \`${fullName(speaker)} --help\`\n`,
      );
    return exitCodes.misused;
  }
}

/** "error: unknown option '--foo'\n(Did you mean --bar?)" as one sentence. */
function usageMessage(message: string): string {
  return message
    .replace(/^error: /, "")
    .replace(/^command-argument value (.*) is invalid for argument '(.*)'/s, "$2 $1 is invalid")
    .replace(/\s*\n\s*\(Did you mean (.*?)\??\)/s, ", did you mean $1?")
    .replace(/\s*\n\s*/g, " ")
    .replace(/\.$/, "");
}

/** A command as it is typed: `dw route add`. */
function fullName(command: Command): string {
  return command.parent === null ? command.name() : `${fullName(command.parent)} ${command.name()}`;
}

function allCommands(command: Command): Command[] {
  return [command, ...command.commands.flatMap(allCommands)];
}
