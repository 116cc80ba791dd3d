/**
 * What a page of the documentation asks to be run. In Markdown:
 *
 * - a `console` block holds commands after `$ ` and what they print below each;
 * - an `sh` block holds commands to copy as a whole, and a `text` block right below it what they print;
 * - a `yaml` block whose first line is `# /etc/datawire….yaml` is put there, and checked by the program that reads it;
 * - a `typescript` block whose first line is `// examples/….ts` shows that file, as it is;
 * - `<!-- on: HOST -->` says on which machine the blocks below are;
 * - `<!-- only checked -->` above a `yaml` block keeps it from the programs that run;
 * - `<!-- not run: REASON -->` above a block says why it is not run.
 *
 * Nothing is run that the page does not show.
 */
export type Item = CommandItem | FileItem | ExampleItem | SkippedItem;

interface Place {
  /** The line of the page, from 1. */
  readonly line: number;
  readonly host: string | null;
}

export interface CommandItem extends Place {
  readonly kind: "command";
  readonly command: string;
  /** What is printed, or null where the page does not say. */
  readonly output: string | null;
  /** Where in the page the output stands: the lines `[from, to)`, from 0. */
  readonly at: { readonly from: number; readonly to: number };
}

export interface FileItem extends Place {
  readonly kind: "file";
  readonly path: string;
  readonly content: string;
  /** Whether it is only checked, and not put where the programs that run would follow it. */
  readonly aside: boolean;
}

/** A file of the checkout that the page shows. */
export interface ExampleItem extends Place {
  readonly kind: "example";
  /** From the root of the checkout. */
  readonly path: string;
  readonly content: string;
}

export interface SkippedItem extends Place {
  readonly kind: "skipped";
  readonly reason: string;
  readonly commands: readonly string[];
}

export interface Page {
  readonly items: readonly Item[];
}

interface Block {
  readonly language: string;
  readonly body: readonly string[];
  /** The first line of the body, from 0. */
  readonly start: number;
}

/** Languages of blocks that are shown and nothing else. */
const SHOWN = ["text", "json", "haproxy", "nginx", "http", "ini", "ruby", "xml", "javascript", "python", "ts"];

/**
 * Reads a page.
 * @throws Error that names the line of a block that would be neither run nor marked as not run.
 */
export function readPage(markdown: string): Page {
  const lines = markdown.split("\n");
  const items: Item[] = [];
  let host: string | null = null;
  let skip: string | null = null;
  let aside = false;
  for (let i = 0; i < lines.length; i++) {
    const line = lines[i] as string;
    if (line.startsWith("<!--")) {
      const end = lines.findIndex((text, n) => n >= i && text.includes("-->"));
      const [comment = ""] = /^<!--[^]*?-->/.exec(lines.slice(i, end + 1).join("\n")) ?? [];
      const [, word, text = ""] = /^<!-- (?:(on|not run): ([^]+)|only checked) -->$/.exec(comment) ?? [];
      if (word === "on") host = text;
      else if (word === "not run") skip = text;
      else if (comment === "<!-- only checked -->") aside = true;
      else throw new Error(`line ${i + 1}: nobody sees ${JSON.stringify(comment)}; wanted on, not run or only checked`);
      i = end;
    } else if (line.startsWith("```")) {
      const block = readBlock(lines, i);
      const output = block.language === "sh" ? outputBelow(lines, block.start + block.body.length + 1) : null;
      items.push(...readItems(block, { host, skip, aside, output }));
      skip = null;
      aside = false;
      i = block.start + block.body.length;
    } else if (/^ {4}\s*(\$ |dw |curl |sudo |systemctl |npm |git |directory -|watson -|sherlock -)/.test(line)) {
      throw new Error(`line ${i + 1}: a command in an indented block is not run; wanted a block of console or sh`);
    }
  }
  return { items };
}

function readBlock(lines: readonly string[], fence: number): Block {
  const end = lines.findIndex((text, n) => n > fence && text.startsWith("```"));
  if (end === -1) throw new Error(`line ${fence + 1}: the block has no end`);
  const language = (lines[fence] as string).slice(3).trim();
  return { language, body: lines.slice(fence + 1, end), start: fence + 1 };
}

/** The `text` block that begins right below a line. */
function outputBelow(lines: readonly string[], after: number): Block | null {
  const next = lines.findIndex((text, n) => n >= after && text.trim() !== "");
  return next !== -1 && lines[next] === "```text" ? readBlock(lines, next) : null;
}

interface Around {
  readonly host: string | null;
  readonly skip: string | null;
  readonly aside: boolean;
  readonly output: Block | null;
}

function readItems(block: Block, { host, skip, aside, output }: Around): Item[] {
  const { language, body, start } = block;
  const place = { line: start, host };
  if (skip !== null) {
    const commands = language === "console" ? readCommands(block).map(({ command }) => command) : commandsIn(body);
    return [{ ...place, kind: "skipped", reason: skip, commands: language === "yaml" ? [] : commands }];
  }
  if (language === "console") return readCommands(block).map((item) => ({ ...item, host }));
  if (language === "sh") {
    const text = output?.body.join("\n") ?? null;
    const from = output?.start ?? start + body.length;
    const at = { from, to: from + (output?.body.length ?? 0) };
    return [{ ...place, kind: "command", command: body.join("\n"), output: text, at }];
  }
  if (language === "yaml") {
    const path = /^# (\/etc\/datawire\S*\.yaml)\b/.exec(body[0] ?? "")?.[1];
    if (path === undefined) {
      throw new Error(`line ${start}: nobody knows which file the block is of; wanted "# /etc/datawire….yaml" first`);
    }
    return [{ ...place, kind: "file", path, content: `${body.join("\n")}\n`, aside }];
  }
  if (language === "typescript") {
    const path = /^\/\/ (examples\/\S+\.ts)$/.exec(body[0] ?? "")?.[1];
    if (path === undefined)
      throw new Error(`line ${start}: nobody runs the block; wanted "// examples/….ts" first, and then that file`);
    return [{ ...place, kind: "example", path, content: `${body.slice(1).join("\n")}\n` }];
  }
  if (language === "json") JSON.parse(body.join("\n"));
  if (SHOWN.includes(language) || (language === "" && !body.some((line) => line.startsWith("$ ")))) return [];
  throw new Error(`line ${start}: a block of ${JSON.stringify(language)} is not run; wanted console, sh or yaml`);
}

/** Commands of an `sh` block that is not run, with their continuations. */
function commandsIn(body: readonly string[]): string[] {
  return body
    .join("\n")
    .replaceAll("\\\n", " ")
    .split("\n")
    .filter((line) => line.trim() !== "");
}

function readCommands({ body, start }: Block): CommandItem[] {
  const items: CommandItem[] = [];
  for (let i = 0; i < body.length;) {
    const first = body[i] as string;
    if (!first.startsWith("$ ")) throw new Error(`line ${start + i + 1}: output without a command; wanted "$ COMMAND"`);
    const command = [first.slice(2)];
    let from = i + 1;
    // A command goes on after a backslash, and a here-document to its end.
    const mark = /<<-?'?(\w+)'?/.exec(first)?.[1];
    const open = (last: string): boolean => last.endsWith("\\") || (mark !== undefined && last !== mark);
    while (from < body.length && open(command.at(-1) as string)) {
      command.push((body[from++] as string).replace(/^> /, ""));
    }
    let to = from;
    while (to < body.length && !(body[to] as string).startsWith("$ ")) to++;
    const output = body.slice(from, to).join("\n").trimEnd();
    const at = { from: start + from, to: start + to };
    items.push({ kind: "command", command: command.join("\n"), output, at, line: start + i + 1, host: null });
    i = to;
  }
  return items;
}
