import type { Plugin } from "rolldown";

/**
 * Writes the few characters beyond ASCII in a bundle as escapes: V8 keeps a source with one of them in two bytes a
 * character, for as long as the program runs. No source of ours, nor of a library in a bundle, has any in a raw template.
 */
export const plainText: Plugin = {
  name: "plain-text",
  generateBundle: {
    order: "post",
    handler(_options, files) {
      for (const file of Object.values(files)) if (file.type === "chunk") file.code = escapeBeyondAscii(file.code);
    },
  },
};

/** The same JavaScript in ASCII, as far as what is beyond is in texts, templates and regular expressions. */
export function escapeBeyondAscii(code: string): string {
  return code.replace(/[^\0-\x7f]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`);
}
