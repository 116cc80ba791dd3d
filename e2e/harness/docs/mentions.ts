import { existsSync } from "node:fs";
import { join } from "node:path";
import type { Page } from "./page.ts";

const DAEMONS = ["agent", "directory", "watson", "sherlock", "router"];

/** What commands may name: those of the reference page, scripts, files. */
export interface Known {
  readonly root: string;
  readonly scripts: readonly string[];
  /** Per command of the reference, such as `dw route add`, the options that it takes. */
  readonly options: ReadonlyMap<string, readonly string[]>;
}

/** Reads the options of every command from the reference page, which is made of the programs themselves. */
export function readOptions(reference: string): Map<string, readonly string[]> {
  const sections = reference.split(/^#{3,4} /m).slice(1);
  return new Map(
    sections.map((section) => {
      const name = section.slice(0, section.indexOf("\n")).trim();
      return [
        name,
        [...section.matchAll(/^\| `([^`]+)`/gm)].flatMap(([, names]) => (names as string).match(/--?[\w-]+/g) ?? []),
      ];
    }),
  );
}

/**
 * What a page says of commands that it does not run, in blocks and in the text, and that is not so: subcommands and
 * options that do not exist, units, scripts and files that are not there.
 */
export function wrongMentions(markdown: string, { items }: Page, known: Known): string[] {
  const skipped = items.flatMap((item) => (item.kind === "skipped" ? item.commands : []));
  const text = markdown.replace(/^```[^]*?^```/gm, "");
  const spans = [...text.matchAll(/`([^`\n]+)`/g)].map(([, span]) => span as string);
  return [...skipped, ...spans].flatMap((command) =>
    wrongIn(command.trim(), known).map((what) => `${command}: ${what}`),
  );
}

function wrongIn(command: string, { root, scripts, options }: Known): string[] {
  const words = command.split(/\s+/);
  const [program = "", first = ""] = words;
  if (program === "npm" && first === "run") return scripts.includes(words[2] ?? "") ? [] : ["no such script"];
  if (program === "node" && /^[\w/.-]+\.ts$/.test(first)) return existsSync(join(root, first)) ? [] : ["no such file"];
  if (/^(e2e|bench|examples|packages|packaging|scripts)\/[\w/.-]+\.\w+$/.test(command)) {
    return existsSync(join(root, command)) ? [] : ["no such file"];
  }
  const units = [...command.matchAll(/\bdatawire-(\w+)(?:\.service)?\b/g)].map(([, unit]) => unit as string);
  if (program === "systemctl") {
    return units.filter((unit) => !existsSync(join(root, `packaging/systemd/datawire-${unit}.service`)));
  }
  return ["dw", ...DAEMONS].includes(program) && words.length > 1 ? wrongOptions(words, options) : [];
}

function wrongOptions(words: readonly string[], options: Known["options"]): string[] {
  const [program = ""] = words;
  const path = [words.slice(0, 3), words.slice(0, 2), words.slice(0, 1)].map((part) => part.join(" "));
  const command = path.find((name) => options.has(name)) ?? program;
  if (program === "dw" && command === "dw" && isWrongCommand(words, options)) return ["no such command"];
  const taken = new Set([...(options.get(command) ?? []), ...(options.get(program) ?? [])]);
  return words
    .filter((word) => /^--[a-z]/.test(word))
    .map((word) => word.replace(/=.*/, ""))
    .filter((word) => !taken.has(word))
    .map((word) => `no option ${word}`);
}

/** `dw` takes a verb, a noun with a verb, or the name of a daemon. */
function isWrongCommand([, first = "", second = ""]: readonly string[], options: Known["options"]): boolean {
  if (!/^[a-z]/.test(first) || [...DAEMONS, "help"].includes(first)) return false;
  const isNoun = [...options.keys()].some((name) => name.startsWith(`dw ${first} `));
  return !isNoun || /^[a-z]/.test(second);
}
