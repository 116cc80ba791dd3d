import { agent } from "@datawire/agent";
import { COMMANDS, createProgram, DAEMONS, settingsSchema as dwSettings } from "@datawire/dw-cli";
import { directoryDaemon, settingsSchema as directorySettings } from "@datawire/directory";
import { createServiceSchema, settingsSchema as watsonSettings, watson } from "@datawire/watson";
import { router, settingsSchema as routerSettings } from "@datawire/router";
import { settingsSchema as sherlockSettings, sherlock } from "@datawire/sherlock";
import { type Command, describeDaemon, type DescribedSetting, describeSettings } from "@datawire/runtime";

/** A command line, for people. */
export interface DescribedCommand {
  /** `dw route add`. */
  readonly name: string;
  readonly summary: string;
  /** `dw route add [options] <source> <target> [percent]`. */
  readonly usage: string;
  readonly options: readonly DescribedOption[];
  readonly examples: readonly string[];
}

export interface DescribedOption {
  readonly flags: string;
  readonly summary: string;
}

/** A program with its commands. */
export interface DescribedProgram extends DescribedCommand {
  readonly commands: readonly DescribedCommand[];
}

/** A settings file. */
export interface DescribedFile {
  readonly file: string;
  readonly summary: string;
  readonly settings: readonly DescribedSetting[];
}

/** All programs, daemons first. */
export function describePrograms(): DescribedProgram[] {
  const daemons = [
    describeDaemon(directoryDaemon),
    describeDaemon(watson),
    describeDaemon(sherlock),
    describeDaemon(router),
    describeDaemon(agent),
  ];
  return [...daemons.map((program) => describeProgram(program)), describeDw()];
}

/** All files that people write. */
export function describeFiles(): DescribedFile[] {
  const service = createServiceSchema({ directories: [], noExec: null });
  return [
    { file: "directory.yaml", summary: "settings of the directory", settings: describeSettings(directorySettings) },
    { file: "watson.yaml", summary: "settings of Watson", settings: describeSettings(watsonSettings) },
    {
      file: "datawire.d",
      summary: "services of a machine, one a file or a list of them",
      settings: describeSettings(service),
    },
    { file: "sherlock.yaml", summary: "settings of Sherlock", settings: describeSettings(sherlockSettings) },
    { file: "router.yaml", summary: "settings of the router", settings: describeSettings(routerSettings) },
    { file: "dw.yaml", summary: "settings of dw", settings: describeSettings(dwSettings) },
  ];
}

function describeDw(): DescribedProgram {
  const program = describeProgram(createProgram({ run: async () => {}, startDaemon: async () => {} }));
  const examples = new Map(COMMANDS.map((grammar) => [`dw ${grammar.path}`, grammar.examples ?? []]));
  const commands = program.commands
    .filter(({ name }) => !Object.keys(DAEMONS).some((daemon) => name === `dw ${daemon}`))
    .map((command) => ({ ...command, examples: examples.get(command.name) ?? [] }));
  return { ...program, commands };
}

function describeProgram(program: Command): DescribedProgram {
  const own = describeCommand(program, program.name());
  const common = new Set(own.options.map(({ flags }) => flags));
  return { ...own, commands: leaves(program, program.name()).map((leaf) => without(leaf, common)) };
}

/** The commands that do something, in their order; a noun alone does not. */
function leaves(command: Command, name: string): DescribedCommand[] {
  return command
    .createHelp()
    .visibleCommands(command)
    .flatMap((one) => {
      const path = `${name} ${one.name()}`;
      if (one.name() === "help") return [];
      return one.commands.length > 0 ? leaves(one, path) : [describeCommand(one, path)];
    });
}

function describeCommand(command: Command, name: string): DescribedCommand {
  const help = command.createHelp();
  return {
    name,
    summary: command.description(),
    usage: help.commandUsage(command),
    options: help.visibleOptions(command).map((option) => ({
      flags: help.optionTerm(option),
      summary: help.optionDescription(option),
    })),
    examples: [],
  };
}

/** Leaves out the options that stand with the program. */
function without(command: DescribedCommand, common: ReadonlySet<string>): DescribedCommand {
  return { ...command, options: command.options.filter(({ flags }) => !common.has(flags)) };
}
