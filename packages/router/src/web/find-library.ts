import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";

/** Where a checkout builds what browsers get, and where that lies beside the bundle of a package. */
const isCheckout = import.meta.url.endsWith(".ts");
const FOLDER = isCheckout ? "../../../microserver/dist/" : "./browser/";
const BUILD = "../../../../scripts/build-browser.ts";

let built: Promise<unknown> | null = null;

/**
 * The folder with `datawire.js`, its types, and the style of pages. In a checkout it is built when it is first asked for.
 * @throws Error where that fails.
 */
export async function findLibrary(): Promise<string> {
  if (isCheckout) {
    built ??= build();
    await built;
  }
  return fileURLToPath(new URL(FOLDER, import.meta.url));
}

async function build(): Promise<void> {
  try {
    const { buildBrowser } = (await import(new URL(BUILD, import.meta.url).href)) as {
      buildBrowser(): Promise<boolean>;
    };
    await buildBrowser();
  } catch (error) {
    built = null;
    // A checkout that only others may write to has what they have built.
    if (!existsSync(new URL(`${FOLDER}datawire.js`, import.meta.url))) throw error;
  }
}
