import { createHash } from "node:crypto";
import { readdir, readFile } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { explainSystemError, systemErrorCode } from "@datawire/runtime";
import { TemplateError } from "./template-error.ts";

/** The texts of a template and of its partials. */
export interface TemplateFiles {
  readonly main: TemplateFile;
  readonly partials: ReadonlyMap<string, TemplateFile>;
}

/** One text of them, and where it was read. */
export interface TemplateFile {
  readonly file: string;
  readonly text: string;
}

/** Beside the sources, and beside a bundle. */
const FOLDERS = ["../../templates/", "../templates/", "./templates/"];
const NAME = "haproxy.cfg.hbs";

/**
 * Reads the template of `path`, or for null the one of `builtIn`, the folder of the built-in one. Partials in `partials/` beside a user's file replace the
 * built-in ones.
 * @throws TemplateError
 */
export async function readTemplate(path: string | null, builtIn: string): Promise<TemplateFiles> {
  const own = path === null ? [] : await readPartials(join(dirname(path), "partials"));
  const partials = new Map([...(await readPartials(join(builtIn, "partials"))), ...own]);
  return { main: await readText(path ?? join(builtIn, NAME)), partials };
}

/** All texts in one, by which one template is told from another. */
export function sourceOf({ main, partials }: TemplateFiles): string {
  return JSON.stringify([main.text, [...partials].map(([name, { text }]) => [name, text])]);
}

/** What tells whether a template that was compiled at some time was made of the same texts, as `sourceOf` gives them. */
export function digestOf(source: string): string {
  return createHash("sha256").update(source).digest("hex");
}

/** Where the built-in template stands. */
export async function builtInFolder(): Promise<string> {
  for (const folder of FOLDERS) {
    const path = fileURLToPath(new URL(folder, import.meta.url));
    try {
      await readFile(join(path, NAME));
      return path;
    } catch (error) {
      if (systemErrorCode(error) !== "ENOENT") throw error;
    }
  }
  throw new Error(`Cannot find the built-in template ${NAME}: the installation is incomplete`);
}

async function readPartials(folder: string): Promise<Map<string, TemplateFile>> {
  let names: string[];
  try {
    names = await readdir(folder);
  } catch (error) {
    if (systemErrorCode(error) === "ENOENT") return new Map();
    throw new TemplateError(`Cannot read ${folder}: ${explainSystemError(error)}`, { cause: error });
  }
  const files = names.filter((name) => name.endsWith(".hbs")).sort();
  const read = files.map(async (name) => [basename(name, ".hbs"), await readText(join(folder, name))] as const);
  return new Map(await Promise.all(read));
}

async function readText(file: string): Promise<TemplateFile> {
  try {
    // A partial stands on a line of its own, which already ends it.
    return { file, text: await readFile(file, "utf8") };
  } catch (error) {
    throw new TemplateError(`Cannot read the template ${file}: ${explainSystemError(error)}`); // the cause is told in words
  }
}
