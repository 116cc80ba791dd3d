import { dirname, normalize, relative } from "node:path/posix";
import { parseAst } from "rolldown/parseAst";

/** A source file: its path from the root of the repository, with slashes, and what is in it. */
export interface Source {
  readonly path: string;
  readonly text: string;
}

/** Folders with more sources than the rest of the house may have, each with the reason. */
const CROWDED: Readonly<Record<string, string>> = {
  "packages/mdk/src/session": "a session and its parts, all of which the face for browsers needs",
};

const SOURCES_A_FOLDER_MAX = 15;
const FACES = new Set(["index.ts", "main.ts"]);

/**
 * Finds what breaks the rules of the house that no linter knows, one line for each breach: at the root of a package stand
 * its face and its main alone, a folder has few sources, no two folders of a package import each other, every export has
 * a sentence of its own, and only a main awaits something as it is loaded. Tests count for none of these but the first.
 */
export function findBreaches(sources: readonly Source[]): string[] {
  const ours = sources.filter(({ path }) => !path.endsWith(".test.ts"));
  return [
    ...strays(sources),
    ...crowds(ours),
    ...mutualImports(ours),
    ...ours.flatMap(undescribed),
    ...ours.flatMap(awaiting),
  ];
}

function strays(sources: readonly Source[]): string[] {
  return sources
    .filter(
      ({ path }) => /^packages\/[^/]+\/src\/[^/]+$/.test(path) && !FACES.has(path.slice(path.lastIndexOf("/") + 1)),
    )
    .map(({ path }) => `${path}: a file at the root of a package, wanted in a folder that says its subject`);
}

function crowds(sources: readonly Source[]): string[] {
  const counts = new Map<string, number>();
  for (const { path } of sources) counts.set(dirname(path), (counts.get(dirname(path)) ?? 0) + 1);
  return [...counts]
    .filter(([folder, count]) => count > SOURCES_A_FOLDER_MAX && !Object.hasOwn(CROWDED, folder))
    .map(
      ([folder, count]) =>
        `${folder}: ${count} sources, wanted at most ${SOURCES_A_FOLDER_MAX}: divide them by subject`,
    );
}

/** Of what a package is made of; what only tests use may look everywhere. */
function mutualImports(sources: readonly Source[]): string[] {
  const arrows = new Map<string, string>();
  for (const { path, text } of sources.filter((source) => !source.path.includes("/testing/"))) {
    for (const [, target = ""] of text.matchAll(/\b(?:from|import)\s*\(?\s*"(\.[^"]+)"/g)) {
      const [from, to] = [dirname(path), dirname(normalize(`${dirname(path)}/${target}`))];
      // A face knows all of its package.
      if (from !== to && !from.endsWith("/src")) arrows.set(`${from} ${to}`, `${path} imports ${target}`);
    }
  }
  return [...arrows].flatMap(([arrow, example]) => {
    const [from = "", to = ""] = arrow.split(" ");
    const back = arrows.get(`${to} ${from}`);
    return back === undefined || from > to
      ? []
      : [`${from} and ${relative(dirname(from), to)} import each other: ${example}, ${back}`];
  });
}

/** As the formatter leaves it, what a file exports begins a line. */
const EXPORT =
  /^export (?:default )?(?:async )?(?:abstract )?(?:function\*?|class|const|let|interface|type|enum) (\w+)/;

function undescribed({ path, text }: Source): string[] {
  const lines = text.split("\n");
  const described = new Set<string>();
  return lines.flatMap((line, i) => {
    const name = EXPORT.exec(line)?.[1];
    if (name === undefined) return [];
    // Of overloads, the first one tells.
    if (described.has(name) || lines[i - 1]?.trimEnd().endsWith("*/") === true) {
      described.add(name);
      return [];
    }
    return [`${path}:${i + 1}: ${name} is exported without a sentence of its own, wanted /** … */ above it`];
  });
}

/**
 * A bundle puts many modules into one file: what one of them awaits as it is loaded, all wait for that import any of
 * them, and files that import each other may wait for good.
 */
function awaiting({ path, text }: Source): string[] {
  if (path.endsWith("/main.ts") || !text.includes("await")) return [];
  const { body } = parseAst(text, { lang: "ts" });
  const at = firstAwait(body);
  if (at === null) return [];
  const line = text.slice(0, at).split("\n").length;
  return [`${path}:${line}: awaits as it is loaded, wanted within a function: only a main may do that`];
}

/** Where something is awaited outside functions; null for nowhere. */
function firstAwait(node: unknown): number | null {
  if (typeof node !== "object" || node === null) return null;
  const { type, start, await: isAwaited } = node as { readonly [key: string]: unknown };
  if (typeof type === "string" && type.includes("Function")) return null;
  if (type === "AwaitExpression" || isAwaited === true) return start as number;
  for (const child of Object.values(node)) {
    const at = firstAwait(child);
    if (at !== null) return at;
  }
  return null;
}
