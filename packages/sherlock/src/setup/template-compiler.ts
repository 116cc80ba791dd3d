import Handlebars from "handlebars";
import { templateError } from "./template-error.ts";
import {
  builtInFolder,
  digestOf,
  readTemplate,
  sourceOf,
  type TemplateFile,
  type TemplateFiles,
} from "./template-files.ts";
import type { TemplateView } from "../core/render/template-view.ts";

// Its own file, as only a user's template needs the half of Handlebars that reads templates: to load it and to read the
// built-in texts was a quarter of what a start takes.

const OPTIONS = { noEscape: true, strict: true, preventIndent: true };

/** @throws TemplateError with the file and the line of a text that is no template. */
export function compileTemplate({ main, partials }: TemplateFiles): HandlebarsTemplateDelegate<TemplateView> {
  const handlebars = Handlebars.create();
  for (const [name, partial] of partials) {
    check(partial);
    handlebars.registerPartial(name, handlebars.compile(partial.text, OPTIONS));
  }
  check(main);
  return handlebars.compile<TemplateView>(main.text, OPTIONS);
}

/** The text of a module with the built-in template, compiled, for a bundle: `loadTemplate()` takes it instead of the texts beside it. */
export async function precompileTemplate(): Promise<string> {
  const files = await readTemplate(null, await builtInFolder());
  const compiled = ({ text }: TemplateFile): string =>
    Handlebars.precompile(text, { ...OPTIONS, knownHelpersOnly: true }) as string;
  const partials = [...files.partials].map(([name, file]) => `${JSON.stringify(name)}: ${compiled(file)}`);
  return [
    `export const digest = ${JSON.stringify(digestOf(sourceOf(files)))};`,
    `export const main = ${compiled(files.main)};`,
    `export const partials = {\n${partials.join(",\n")}\n};\n`,
  ].join("\n");
}

/** Compiling is lazy, so that a mistake would show only when a partial is first used. */
function check({ file, text }: TemplateFile): void {
  try {
    Handlebars.parse(text);
  } catch (error) {
    throw templateError(file, error);
  }
}
