import { fileURLToPath } from "node:url";

/** Where a checkout builds the files of the console, and where they lie beside the bundle of a package. */
const FOLDER = import.meta.url.endsWith(".ts") ? "../../../mission-control/dist/" : "./console/";

/** Where the files of the console may be. */
export const consoleFolders = (): string[] => [fileURLToPath(new URL(FOLDER, import.meta.url))];
