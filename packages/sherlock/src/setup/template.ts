import { join } from "node:path";
import { pathToFileURL } from "node:url";
import type Handlebars from "handlebars";
import runtime from "handlebars/runtime.js";
import type { TemplateView } from "../core/render/template-view.ts";
import { templateError } from "./template-error.ts";
import { builtInFolder, digestOf, readTemplate, sourceOf, type TemplateFiles } from "./template-files.ts";

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

/** What stands beside the texts of a bundle's built-in template, as the module `COMPILED`. */
interface CompiledTemplate {
  /** Of the texts that it was made of, by `digestOf`. */
  readonly digest: string;
  readonly main: TemplateSpecification;
  readonly partials: Readonly<Record<string, TemplateSpecification>>;
}

const COMPILED = "compiled.js";
/** The half of Handlebars that fills templates, which the package types as if it had nothing. */
const { create } = runtime as unknown as Pick<typeof Handlebars, "create">;
const FILL_OPTIONS = { allowProtoPropertiesByDefault: false, allowProtoMethodsByDefault: false };

/**
 * Loads the template of `path`, or the built-in one for null. Partials in `partials/` beside a user's file replace the
 * built-in ones.
 * @param builtIn the folder of the built-in template; the one beside this program by default
 * @throws TemplateError
 */
export async function loadTemplate(path: string | null, builtIn?: string): Promise<Template> {
  const folder = builtIn ?? (await builtInFolder());
  const files = await readTemplate(path, folder);
  const source = sourceOf(files);
  const fill = (path === null ? await findCompiled(source, folder) : null) ?? (await compile(files));
  const lines = files.main.text.split("\n").map((line) => line.trim());
  return {
    path,
    source,
    render(view) {
      try {
        return fill(view, FILL_OPTIONS);
      } catch (error) {
        throw templateError(files.main.file, error);
      }
    },
    lineOf(rendered) {
      const at = lines.indexOf(rendered.trim());
      return at < 0 ? null : at + 1;
    },
  };
}

type Fill = HandlebarsTemplateDelegate<TemplateView>;

async function compile(files: TemplateFiles): Promise<Fill> {
  const { compileTemplate } = await import("./template-compiler.ts");
  return compileTemplate(files);
}

/** The built-in template as the bundle has it compiled; null where there is none, or where its texts were changed since. */
async function findCompiled(source: string, folder: string): Promise<Fill | null> {
  const url = pathToFileURL(join(folder, COMPILED)).href;
  const compiled = await (import(url) as Promise<CompiledTemplate>).catch(() => null);
  if (compiled?.digest !== digestOf(source)) return null;
  const handlebars = create();
  for (const [name, partial] of Object.entries(compiled.partials))
    handlebars.registerPartial(name, handlebars.template(partial));
  return handlebars.template<TemplateView>(compiled.main);
}
