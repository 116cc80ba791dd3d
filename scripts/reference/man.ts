import { EXIT_CODES, SIGNALS, VARIABLES } from "./facts.ts";
import {
  type DescribedCommand,
  type DescribedFile,
  type DescribedProgram,
  describeFiles,
  describePrograms,
} from "./programs.ts";

/** A page of the manual: `dw.1`. */
export interface ManPage {
  readonly file: string;
  readonly text: string;
}

/** Makes the manual pages of all programs and of the files that they read, in the language of man(7). */
export function manPages({ version }: { readonly version: string }): ManPage[] {
  const programs = describePrograms();
  const files = describeFiles();
  return [
    ...programs.map((one) => page(one.name, sectionOf(one), version, program(one))),
    ...files.map((one) => page(one.file, 5, version, file(one))),
  ];
}

const sectionOf = ({ name }: DescribedProgram): number => (name === "dw" ? 1 : 8);

function page(name: string, section: number, version: string, body: readonly string[]): ManPage {
  const title = `.TH ${quoted(name.toUpperCase())} ${section} "" ${quoted(`Datawire dstack ${version}`)} "Datawire dstack"`;
  return { file: `${name}.${section}`, text: `${[title, ...body].join("\n")}\n` };
}

function program({ name, summary, usage, options, commands }: DescribedProgram): string[] {
  const isDaemon = name !== "dw";
  const others = ["directory", "watson", "sherlock", "router"].filter((other) => other !== name);
  // The agent is the two others.
  const files = name === "agent" ? ["watson", "sherlock"] : [name];
  return [
    ...heading("NAME"),
    text(`${name} - ${lowerFirst(summary)}`),
    ...heading("SYNOPSIS"),
    `.B ${escape(usage)}`,
    ...heading("OPTIONS"),
    ...optionList(options),
    ...(commands.length > 0 ? [...heading("COMMANDS"), ...commands.flatMap(command)] : []),
    ...(isDaemon ? [...heading("SIGNALS"), ...SIGNALS.flatMap(([signal, meaning]) => tagged(signal, meaning))] : []),
    ...heading("EXIT STATUS"),
    ...EXIT_CODES.flatMap(([code, meaning]) => tagged(String(code), meaning)),
    ...heading("ENVIRONMENT"),
    ...VARIABLES.flatMap(([variable, meaning]) => tagged(variable, meaning)),
    ...heading("FILES"),
    ...files.flatMap((one) => [
      ...tagged(`/etc/datawire/${one}.yaml`, "Settings of this machine."),
      ...tagged(`~/.config/datawire/${one}.yaml`, "Settings of the user, which go before them."),
    ]),
    ...(files.includes("watson") ? tagged("/etc/datawire.d/*.yaml", "The services of this machine.") : []),
    ...(isDaemon
      ? files.flatMap((one) => tagged(`/var/lib/datawire/${one}/`, "State, when root or the unit runs it."))
      : []),
    ...heading("SEE ALSO"),
    ...files.map((one) => `.BR ${one}.yaml (5),`),
    ...(files.includes("watson") ? [".BR datawire.d (5),"] : []),
    ...others.map((other) => `.BR ${other} (8)${isDaemon || other !== others.at(-1) ? "," : ""}`),
    ...(isDaemon ? [".BR dw (1)"] : []),
  ];
}

function command({ usage, summary, options, examples }: DescribedCommand): string[] {
  return [
    ".TP",
    `.B ${escape(usage)}`,
    text(upperFirst(summary)),
    ...(options.length > 0 ? [".RS", ...optionList(options), ".RE"] : []),
    ...examples.flatMap((example) => [".IP", `Example: \\fB${escape(example)}\\fR`]),
  ];
}

function file({ file: name, summary, settings }: DescribedFile): string[] {
  const path = name === "datawire.d" ? "/etc/datawire.d/*.yaml" : `/etc/datawire/${name}`;
  return [
    ...heading("NAME"),
    text(`${name} - ${summary}`),
    ...heading("SYNOPSIS"),
    `.I ${escape(path)}`,
    ...heading("KEYS"),
    ...settings.flatMap(({ key, otherwise, description, wanted }) => {
      const value = wanted === "" ? "" : ` Value: ${wanted}.`;
      const rest = otherwise === "" ? "" : ` Default: ${otherwise}.`;
      return tagged(key, `${description}${value}${rest}`);
    }),
    ...heading("SEE ALSO"),
    ".BR directory (8),",
    ".BR watson (8),",
    ".BR sherlock (8),",
    ".BR router (8),",
    ".BR dw (1)",
  ];
}

const optionList = (options: DescribedCommand["options"]): string[] =>
  options.flatMap(({ flags, summary }) => tagged(flags, upperFirst(summary)));

const heading = (name: string): string[] => [`.SH ${name}`];
const tagged = (tag: string, meaning: string): string[] => [".TP", `.B ${escape(tag)}`, text(meaning)];

/** Text of people: what stands in backquotes becomes bold. */
const text = (line: string): string => guard(escape(line).replace(/`([^`]*)`/g, "\\fB$1\\fR"));

/** What troff prints as another character than the one to type (groff_char(7), "Basic Latin"), and what is not ASCII. */
const GLYPHS: ReadonlyMap<string, string> = new Map(
  Object.entries({
    "\\": "\\e",
    "-": "\\-",
    "'": "\\(aq",
    "^": "\\(ha",
    "~": "\\(ti",
    "…": "...",
  }),
);
const escape = (line: string): string => line.replace(/[\\\-'^~…]/g, (character) => GLYPHS.get(character) ?? character);

/** A point at the beginning of a line would make it a request. */
const guard = (line: string): string => (line.startsWith(".") ? `\\&${line}` : line);

const quoted = (word: string): string => `"${escape(word)}"`;
const lowerFirst = (words: string): string => words.charAt(0).toLowerCase() + words.slice(1);
const upperFirst = (words: string): string => words.charAt(0).toUpperCase() + words.slice(1);
