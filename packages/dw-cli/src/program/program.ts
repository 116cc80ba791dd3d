import { nearest, own } from "@datawire/protocol";
import { VERSION } from "@datawire/runtime";
import { Argument, Command, Option } from "commander";
import { addCommonOptions, type CommonOptions, readCommonOptions } from "../grammar/common-options.ts";
import type { Input } from "../context/dw.ts";
import type { CommandGrammar } from "../grammar/command.ts";
import { COMMANDS, DAEMONS, NOUNS } from "./commands.ts";

/** What a command line comes to. */
export interface ProgramActions {
  run(grammar: CommandGrammar, input: Input, common: CommonOptions): Promise<void>;
  startDaemon(name: string, args: readonly string[]): Promise<void>;
  /** The command line, where it is known: what surely is not on it is made without its operands and options. */
  readonly argv?: readonly string[];
}

/** Makes the program of the grammar. */
export function createProgram({ run, startDaemon, argv }: ProgramActions): Command {
  const program = new Command("dw")
    .description("Ask and steer a Datawire directory: who serves what, and who gets which share of whose requests")
    .version(VERSION, "-V, --version")
    .helpOption("-h, --help", "show this help")
    .helpCommand(false)
    .enablePositionalOptions();
  addCommonOptions(program, { top: true });
  const nouns = new Map<string, Command>();
  const isMeant = firstWordsOf(argv ?? []);
  for (const grammar of COMMANDS) {
    const [first = "", verb] = grammar.path.split(" ");
    const parent = verb === undefined ? program : (nouns.get(first) ?? addNoun(program, nouns, first));
    if (isMeant(first)) addCommand(parent, grammar, run);
    else parent.command(verb ?? first, { hidden: grammar.hidden === true });
  }
  for (const [name, summary] of Object.entries(DAEMONS)) {
    program
      .command(name)
      .description(`${summary}; \`dw ${name} --help\` says how`)
      .argument("[args...]")
      .helpOption(false)
      .allowUnknownOption()
      .passThroughOptions()
      .usage("[options]")
      .action((args: string[]) => {
        const directories = readCommonOptions(program).directories.flatMap((address) => ["--directory", address]);
        return startDaemon(name, [...directories, ...args]);
      });
  }
  addHelp(program);
  addBareVerbs(program);
  return program;
}

/**
 * Which commands a command line may mean, by their first words. All where it has none of these, or asks for help, which
 * lists what all of them take. A hundred commands with six common options each are a fifth of the work of a short one.
 */
function firstWordsOf(argv: readonly string[]): (first: string) => boolean {
  const words = new Set(argv);
  const isHelp = words.has("help") || words.has("--help") || argv.some((word) => /^-\w*h/.test(word));
  const known = new Set([...COMMANDS.map(({ path }) => path.split(" ", 1)[0] ?? path), ...Object.keys(DAEMONS)]);
  // Behind an option, a word may be its value.
  const isSure = (word: string, i: number): boolean =>
    known.has(word) && (argv[i - 1] === "--json" || argv[i - 1]?.startsWith("-") !== true);
  return isHelp || !argv.some(isSure) ? () => true : (first) => words.has(first);
}

/** A verb of more nouns than this says nothing of what was meant. */
const NOUNS_MAX = 3;

/** `dw promote //barker:2` is told of `dw service promote`: no spelling leads there. */
function addBareVerbs(parent: Command): void {
  const taken = new Set(parent.commands.map((command) => command.name()));
  const nouns = new Map<string, string[]>();
  for (const { path } of COMMANDS) {
    const [noun = "", verb] = path.split(" ");
    if (verb !== undefined && !taken.has(verb)) nouns.set(verb, [...(nouns.get(verb) ?? []), noun]);
  }
  for (const [verb, of] of nouns) {
    if (of.length > NOUNS_MAX) continue;
    const meant = [...new Set(of)].map((noun) => `dw ${noun} ${verb}`).join(" or ");
    parent
      .command(verb, { hidden: true })
      .argument("[args...]")
      .helpOption(false)
      .allowUnknownOption()
      .passThroughOptions()
      .action(() => parent.error(`error: unknown command '${verb}'\n(Did you mean ${meant}?)`));
  }
}

/** Commander's own `help` reads one word only, and ignores an unknown one. */
function addHelp(program: Command): void {
  program
    .command("help")
    .description("show the help of a command")
    .argument("[command...]")
    .helpOption(false)
    .action((words: string[]) => {
      let at = program;
      for (const word of words) {
        at = at.commands.find((command) => command.name() === word) ?? unknownCommand(at, word);
      }
      at.help();
    });
}

function unknownCommand(parent: Command, word: string): never {
  const names = parent.commands.map((command) => command.name());
  const near = nearest(word, names);
  return parent.error(`error: unknown command '${word}'${near === undefined ? "" : `\n(Did you mean ${near}?)`}`);
}

function addNoun(program: Command, nouns: Map<string, Command>, name: string): Command {
  const noun = program
    .command(name)
    .description(own(NOUNS, name) ?? "")
    .helpOption("-h, --help", "show this help")
    .helpCommand(false)
    .enablePositionalOptions();
  addCommonOptions(noun, { top: false });
  nouns.set(name, noun);
  return noun;
}

function addCommand(parent: Command, grammar: CommandGrammar, run: ProgramActions["run"]): void {
  const name = grammar.path.split(" ").at(-1) ?? grammar.path;
  const command = parent
    .command(name, { isDefault: grammar.isDefault === true, hidden: grammar.hidden === true })
    .description(grammar.summary)
    .helpOption("-h, --help", "show this help")
    .allowExcessArguments(false);
  for (const { text, choices } of grammar.operands) {
    const argument = new Argument(text);
    command.addArgument(choices === undefined ? argument : argument.choices(choices));
  }
  for (const { flags, summary, choices } of grammar.options) {
    const option = new Option(flags, summary);
    command.addOption(choices === undefined ? option : option.choices(choices));
  }
  addCommonOptions(command, { top: false });
  if (grammar.hidden === true) command.allowUnknownOption().helpOption(false);
  if (grammar.examples !== undefined) {
    command.addHelpText("after", `\nExamples:\n${grammar.examples.map((line) => `  ${line}`).join("\n")}`);
  }
  command.action(async () => {
    const common = readCommonOptions(command);
    const operands = (command.processedArgs as (string | string[] | undefined)[]).flat();
    await run(grammar, { operands, options: { ...command.opts(), json: common.json } }, common);
  });
}
