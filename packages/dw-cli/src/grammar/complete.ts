import type { CommandGrammar, OperandKind } from "./command.ts";

/** What may stand at the cursor: fixed words, or names that the directory knows. */
export type Completion =
  | { readonly kind: "words"; readonly words: readonly string[] }
  | { readonly kind: "names"; readonly of: OperandKind };

const COMMON_FLAGS = ["--directory", "--json", "--help"];
/** The common options that are followed by a value. */
const WITH_VALUE = new Set([
  "-d",
  "--directory",
  "-c",
  "--config",
  "-l",
  "--log-level",
  "--log-format",
  "--environment",
]);

/** Says what may complete the last of the words, which may be empty; `words` begin after `dw`. */
export function complete(
  words: readonly string[],
  { commands, others }: { readonly commands: readonly CommandGrammar[]; readonly others: readonly string[] },
): Completion {
  const shown = commands.filter(({ hidden }) => hidden !== true);
  const current = words.at(-1) ?? "";
  const before = words.slice(0, -1);
  const command = shown.find(({ path }) => startsWithPath(plain(before, null), path));
  const options =
    command?.options.map(({ flags }) => flags.split(/[ ,]+/).filter((word) => word.startsWith("-"))) ?? [];
  const previous = before.at(-1);
  if (previous !== undefined && takesValue(previous, command ?? null)) {
    const given = command?.options.find(({ flags }) => flags.split(/[ ,]+/).includes(previous));
    return fixed(given?.choices ?? given?.suggestions ?? [], current);
  }
  if (current.startsWith("-")) return fixed([...options.flat(), ...COMMON_FLAGS], current);
  const done = plain(before, command ?? null);
  if (command === undefined) {
    const next = shown.filter(({ path }) => path.startsWith(done.map((word) => `${word} `).join("")));
    const candidates = next.map(({ path }) => path.split(" ")[done.length] ?? "");
    return fixed([...new Set([...candidates, ...(done.length === 0 ? others : [])])], current);
  }
  const index = done.length - command.path.split(" ").length;
  const operand = command.operands[Math.min(index, command.operands.length - 1)];
  const isList = operand?.text.includes("...") === true;
  if (operand === undefined || (index >= command.operands.length && !isList)) return fixed([], current);
  if (operand.choices !== undefined) return fixed(operand.choices, current);
  return operand.kind === "text" ? fixed([], current) : { kind: "names", of: operand.kind };
}

/** The words that are neither options nor their values. */
function plain(words: readonly string[], command: CommandGrammar | null): string[] {
  return words.filter((word, i) => {
    const previous = words[i - 1];
    return !word.startsWith("-") && !(previous !== undefined && takesValue(previous, command));
  });
}

function takesValue(word: string, command: CommandGrammar | null): boolean {
  if (WITH_VALUE.has(word)) return true;
  return command?.options.some(({ flags }) => flags.includes("<") && flags.split(/[ ,]+/).includes(word)) === true;
}

function startsWithPath(words: readonly string[], path: string): boolean {
  return path.split(" ").every((part, i) => words[i] === part);
}

function fixed(words: readonly string[], current: string): Completion {
  return { kind: "words", words: words.filter((word) => word.startsWith(current)) };
}
