/** The version of every program and package of this project; a test keeps it equal to package.json, so that bundles need no file. */
export const VERSION = "0.1.0";

/** How the programs name themselves to others: `watson/0.1.0`. */
export const userAgent = (name: string): string => `${name}/${VERSION}`;
