import { readFileSync } from "node:fs";
import { dirname, join } from "node:path";

const PACKAGE = join(import.meta.dirname, "../../packages/mdk");

/** One exported name of the library, as its source declares it. */
interface Declared {
  readonly name: string;
  /** The declaration with its comments, without what it does. */
  readonly code: string;
}

/** The page `docs/mdk-reference.md`, made of the sources of `@datawire/mdk`. */
export function libraryPage(): string {
  const { exports } = JSON.parse(readFileSync(join(PACKAGE, "package.json"), "utf8")) as {
    readonly exports: Readonly<Record<string, string>>;
  };
  const seen = new Map<string, string>();
  const sections = Object.entries(exports).map(([path, file]) => {
    const entry = path.replace(/^\./, "@datawire/mdk");
    const parts = declarationsOf(join(PACKAGE, file)).map(({ name, code }) => {
      const before = seen.get(code);
      if (before !== undefined) return `\`${name}\`: as in [${before}](#${anchorOf(before)}).\n`;
      seen.set(code, entry);
      return `\`\`\`ts\n${code}\n\`\`\`\n`;
    });
    return `## ${entry}\n\n${parts.join("\n")}`;
  });
  return `${HEAD}\n${sections.join("\n")}`;
}

const HEAD = `# Reference of the client library

What [the page about it](mdk.md) shows in use. This one is made of the sources by \`node scripts/reference.ts\`.
`;

const anchorOf = (heading: string): string => heading.toLowerCase().replaceAll(/[^a-z0-9 _-]/g, "");

/** The exported declarations of a module, those of other modules that it hands on included. */
function declarationsOf(file: string): Declared[] {
  const source = readFileSync(file, "utf8");
  const own = [...source.matchAll(/^export (?:interface|type|function|async function|class|const) (\w+)/gm)].map(
    ([, name = ""]) => declared(source, name),
  );
  const handedOn = [...source.matchAll(/^export (?:type )?\{([^}]+)\} from "(\.[^"]+)";/gm)].flatMap(
    ([, names = "", from = ""]) => {
      const there = readFileSync(join(dirname(file), from), "utf8");
      return names
        .split(",")
        .map((name) => name.replace(/^\s*(?:type )?/, "").trim())
        .filter((name) => name !== "")
        .map((name) => declared(there, name));
    },
  );
  return [...own, ...handedOn].toSorted((a, b) => (a.name < b.name ? -1 : 1));
}

function declared(source: string, name: string): Declared {
  const start = new RegExp(`^export (?:interface|type|(?:async )?function|class|const) ${name}\\b`, "m").exec(source);
  if (start === null) throw new Error(`Cannot find the declaration of ${name}`);
  const comment = /\/\*\*(?:[^*]|\*(?!\/))*\*\/\n$/.exec(source.slice(0, start.index))?.[0] ?? "";
  const body = source.slice(start.index);
  return { name, code: comment + shortened(body.slice(0, endOf(body))) };
}

/** Where a declaration ends: at the first line break at which no bracket is open. */
function endOf(text: string): number {
  let depth = 0;
  for (let at = 0; at < text.length; at++) {
    const character = text.charAt(at);
    if (text.startsWith("/**", at) || text.startsWith("//", at)) {
      at = text.indexOf(text.startsWith("//", at) ? "\n" : "*/", at) - 1;
      if (text.startsWith("*/", at + 1)) at += 2;
    } else if ("{([".includes(character)) depth += 1;
    else if ("})]".includes(character)) depth -= 1;
    else if (character === "\n" && depth === 0 && !/^\s+[|?:&]/.test(text.slice(at + 1))) return at;
  }
  return text.length;
}

/** Without what is done: a function has its signature, and a class what others see of it. */
function shortened(code: string): string {
  if (/^export (?:async )?function/.test(code)) {
    const body = code.lastIndexOf(" {\n", code.indexOf("\n  "));
    const first = body < 0 ? code.indexOf(" {\n") : body;
    const signature = code.startsWith("export async") || code.includes("\n): ") ? endOfSignature(code) : first;
    return `${code.slice(0, signature)};`;
  }
  if (!code.startsWith("export class")) return code;
  const members = code
    .split(/\n\n/)
    .filter((part) => !/#\w+/.test(part.split("\n").find((line) => !/^\s*(?:\/?\*|\/\/)/.test(line)) ?? ""));
  return members
    .join("\n\n")
    .replaceAll(/^( {2}(?:constructor|get \w+|\w+)\([^\n]*?\)(?:: [^\n{]+)?) \{[^]*?^ {2}\}/gm, "$1;");
}

/** Of a signature over several lines, its last line begins with the bracket that closes the parameters. */
function endOfSignature(code: string): number {
  const closing = /^\)(?:: .*)? \{$/m.exec(code);
  return closing === null ? code.indexOf(" {\n") : closing.index + closing[0].length - 2;
}
