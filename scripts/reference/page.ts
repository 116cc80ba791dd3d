import { EXIT_CODES, SIGNALS, VARIABLES } from "./facts.ts";
import { describeMetrics } from "./metrics.ts";
import {
  type DescribedCommand,
  type DescribedFile,
  type DescribedProgram,
  describeFiles,
  describePrograms,
} from "./programs.ts";

/** Makes docs/reference.md of the programs themselves. */
export async function referencePage(): Promise<string> {
  const metrics = [...(await describeMetrics())];
  return (
    [
      "# Reference",
      "Every command, setting, metric, signal and exit code. `node scripts/reference.ts` makes this page of the programs' own command lines, settings and metrics; a test fails when they differ.",
      "## Programs",
      "`dw directory`, `dw watson`, `dw sherlock`, `dw router` and `dw agent` start the same daemons.",
      ...describePrograms().flatMap(program),
      "## Settings",
      "Later wins: built-in defaults; `/etc/datawire/NAME.yaml`; `$XDG_CONFIG_HOME/datawire/NAME.yaml`; the file of `-c`; environment variables; flags. `${NAME}` in a value is replaced from the environment. Durations are written `500ms`, `3s`, `2m`; a bare number is seconds. Unknown keys are errors.",
      ...describeFiles().flatMap(file),
      "## Environment variables",
      table(
        ["Variable", "Meaning"],
        VARIABLES.map(([name, meaning]) => [name.split(", ").map(code).join(", "), meaning]),
      ),
      "## Metrics",
      "In the text format of Prometheus at `/metrics`: of the directory's own port, and of the admin ports of Watson, Sherlock and the router; the agent's has Watson's and Sherlock's. Each program has those of its Node.js process (`process_…`, `nodejs_…`) as well.",
      ...metrics.flatMap(([name, list]) => [
        `### Metrics of ${name}`,
        table(
          ["Metric", "Type", "Meaning"],
          list.map((one) => [code(one.name), one.type, one.help]),
        ),
      ]),
      "## Signals",
      table(
        ["Signal", "What a daemon does"],
        SIGNALS.map(([names, meaning]) => [names.split(", ").map(code).join(", "), meaning]),
      ),
      "## Exit codes",
      table(
        ["Code", "Meaning"],
        EXIT_CODES.map(([number, meaning]) => [String(number), meaning]),
      ),
    ].join("\n\n") + "\n"
  );
}

function program({ name, summary, usage, options, commands }: DescribedProgram): string[] {
  return [
    `### ${name}`,
    sentence(summary),
    code(usage),
    optionTable(options),
    ...commands.flatMap((one) => command(one)),
  ];
}

function command({ name, summary, usage, options, examples }: DescribedCommand): string[] {
  return [
    `#### ${name}`,
    sentence(summary),
    code(usage),
    ...(options.length > 0 ? [optionTable(options)] : []),
    ...(examples.length > 0 ? [`For example: ${examples.map(code).join(", ")}`] : []),
  ];
}

function file({ file: name, summary, settings }: DescribedFile): string[] {
  const where = name === "datawire.d" ? "/etc/datawire.d/*.yaml" : name;
  return [
    `### ${where}`,
    sentence(summary),
    table(
      ["Key", "Default", "What for", "Value"],
      settings.map(({ key, otherwise, description, wanted }) => [
        code(key),
        otherwise || "required",
        description,
        wanted,
      ]),
    ),
  ];
}

function optionTable(options: DescribedCommand["options"]): string {
  return table(
    ["Option", "Meaning"],
    options.map(({ flags, summary }) => [code(flags), summary]),
  );
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]): string => `| ${cells.map(cell).join(" | ")} |`;
  return [line(head), line(head.map(() => "---")), ...rows.map(line)].join("\n");
}

const cell = (text: string): string => text.replaceAll("|", "\\|").replaceAll("\n", " ");
const code = (text: string): string => `\`${text}\``;

function sentence(text: string): string {
  const first = text.charAt(0).toUpperCase() + text.slice(1);
  return first.endsWith(".") ? first : `${first}.`;
}
