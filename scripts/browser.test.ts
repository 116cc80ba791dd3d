import { createContext, runInContext } from "node:vm";
import { join } from "node:path";
import { rolldown } from "rolldown";
import { expect, test } from "vitest";

const ROOT = join(import.meta.dirname, "..");

/** What a browser offers to a script beside the language, as far as these packages may ask for it. */
const BROWSER_GLOBALS = { TextDecoder, TextEncoder, URL, URLSearchParams, atob, btoa };

/** Bundles the face of a package for a browser; throws at what cannot be in such a bundle. */
async function bundleOf(name: string): Promise<string> {
  const complaints: string[] = [];
  const bundle = await rolldown({
    input: join(ROOT, `packages/${name}/src/index.ts`),
    platform: "browser",
    onLog: (_, log) => complaints.push(log.message),
  });
  const { output } = await bundle.generate({ format: "iife", name: "library" });
  await bundle.close();
  expect(complaints).toEqual([]);
  expect(
    output.flatMap((chunk) => (chunk.type === "chunk" ? [...chunk.imports, ...chunk.dynamicImports] : [])),
  ).toEqual([]);
  // What only a call would find out.
  const code = output[0].code.replace(/\/\*[^]*?\*\//g, "");
  expect(code).not.toMatch(/(?<!\.)\b(?:(?:Buffer|process)\.|(?:Buffer|require|setImmediate)\()/);
  return output[0].code;
}

test.each(["protocol", "amqp", "catalog", "api", "routing"])(
  "packages/%s loads in a browser, with all that it imports",
  async (name) => {
    const context = createContext({ ...BROWSER_GLOBALS });
    runInContext(await bundleOf(name), context);
    expect(runInContext("Object.keys(library).length", context)).toBeGreaterThan(0);
  },
);
