import { readdir, readFile } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { explainSystemError, systemErrorCode } from "@datawire/runtime";
import Handlebars from "handlebars";
import type { TemplateView } from "../core/render/template-view.ts";

/** A configuration template with its partials, ready to be filled. */
export interface Template {
  /** The user's file; null for the built-in template. */
  readonly path: string | null;
  /** The texts that it is made of, for telling one template from another. */
  readonly source: string;
  /** @throws TemplateError */
  render(view: TemplateView): string;
  /** The first line of the template whose text is that of a rendered line; null when it was put together. */
  lineOf(rendered: string): number | null;
}

/** A template that cannot be used; the message has the file and the line. */
export class TemplateError extends Error {
  override readonly name = "TemplateError";
  /** What is wrong, for whoever tells the place apart from it. */
  readonly reason: string;
  /** Null for a file that cannot be read. */
  readonly place: { readonly file: string; readonly line: number } | null;

  constructor(message: string, { place = null, reason = message, cause }: TemplateErrorDetails = {}) {
    super(message, cause === undefined ? {} : { cause });
    this.reason = reason;
    this.place = place;
  }
}

interface TemplateErrorDetails {
  readonly place?: TemplateError["place"];
  readonly reason?: string;
  readonly cause?: unknown;
}

/** Beside the sources, and beside a bundle. */
const FOLDERS = ["../../templates/", "../templates/", "./templates/"];
const NAME = "haproxy.cfg.hbs";

/** Loads the template of `path`, or the built-in one for null. Partials in `partials/` beside a user's file replace the built-in ones. */
export async function loadTemplate(path: string | null): Promise<Template> {
  const builtIn = await builtInFolder();
  const partials = await readPartials(join(builtIn, "partials"));
  if (path !== null)
    for (const [name, text] of await readPartials(join(dirname(path), "partials"))) partials.set(name, text);
  const file = path ?? join(builtIn, NAME);
  return compile(file, await readText(file), { partials, path });
}

function compile(
  file: string,
  text: string,
  { partials, path }: { readonly partials: ReadonlyMap<string, Partial>; readonly path: string | null },
): Template {
  const handlebars = Handlebars.create();
  const compileOptions = { noEscape: true, strict: true, preventIndent: true };
  const runtimeOptions = { allowProtoPropertiesByDefault: false, allowProtoMethodsByDefault: false };
  for (const [name, partial] of partials) {
    parse(handlebars, partial.file, partial.text);
    handlebars.registerPartial(name, handlebars.compile(partial.text, compileOptions));
  }
  parse(handlebars, file, text);
  const template = handlebars.compile<TemplateView>(text, compileOptions);
  const lines = text.split("\n").map((line) => line.trim());
  return {
    path,
    source: JSON.stringify([text, [...partials].map(([name, partial]) => [name, partial.text])]),
    render(view) {
      try {
        return template(view, runtimeOptions);
      } catch (error) {
        throw templateError(file, error);
      }
    },
    lineOf(rendered) {
      const at = lines.indexOf(rendered.trim());
      return at < 0 ? null : at + 1;
    },
  };
}

/** Compiling is lazy, so that a mistake would show only when a partial is first used. */
function parse(handlebars: typeof Handlebars, file: string, text: string): void {
  try {
    handlebars.parse(text);
  } catch (error) {
    throw templateError(file, error);
  }
}

/** Handlebars says the line in its message (`Parse error on line 3:`) or as a field (`lineNumber`). */
function templateError(file: string, error: unknown): TemplateError {
  const message = error instanceof Error ? error.message : String(error);
  const field = error instanceof Error && "lineNumber" in error ? Number(error.lineNumber) : Number.NaN;
  const said = /(?:on line |- )(\d+)(?::|$)/.exec(message)?.[1];
  const line = Number.isNaN(field) ? said : String(field);
  const plain = message.replace(/\s*\n[\s\S]*?(?=Expecting|$)/, " ").replace(/^Parse error on line \d+:\s*/, "");
  // What Handlebars says names its own tokens.
  const reason = `it is no template that Handlebars can read: ${plain.trim()}`;
  if (line === undefined) return new TemplateError(`Cannot use the template ${file}: ${reason}`, { cause: error });
  const place = { file, line: Number(line) };
  return new TemplateError(`Cannot use the template ${file}:${line}: ${reason}`, { place, reason, cause: error });
}

async function builtInFolder(): Promise<string> {
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

interface Partial {
  readonly file: string;
  readonly text: string;
}

async function readPartials(folder: string): Promise<Map<string, Partial>> {
  let names: string[];
  try {
    names = await readdir(folder);
  } catch (error) {
    if (systemErrorCode(error) === "ENOENT") return new Map();
    throw new TemplateError(`Cannot read ${folder}: ${explainSystemError(error)}`, { cause: error });
  }
  const files = names.filter((name) => name.endsWith(".hbs")).sort();
  const read = files.map(async (name) => {
    const file = join(folder, name);
    return [basename(name, ".hbs"), { file, text: await readText(file) }] as const;
  });
  return new Map(await Promise.all(read));
}

async function readText(file: string): Promise<string> {
  try {
    // A partial stands on a line of its own, which already ends it.
    return await readFile(file, "utf8");
  } catch (error) {
    throw new TemplateError(`Cannot read the template ${file}: ${explainSystemError(error)}`); // the cause is told in words
  }
}
