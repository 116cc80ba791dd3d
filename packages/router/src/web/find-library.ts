import { fileURLToPath } from "node:url";

/** Where a checkout builds what browsers get, and where that lies beside the bundle of a package. */
const FOLDER = import.meta.url.endsWith(".ts") ? "../../../microserver/dist/" : "./browser/";

/** The folder with `datawire.js`, its types, and the style of the router's own pages. */
export const LIBRARY: string = fileURLToPath(new URL(FOLDER, import.meta.url));
