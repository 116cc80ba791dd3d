import { isBuiltin } from "node:module";
import type { Plugin } from "rolldown";

/** What most runs of our programs have no use for: TLS where all is plain, threads, compression, other processes of a cluster. */
const RARE = ["assert", "cluster", "https", "querystring", "tls", "vm", "worker_threads", "zlib"];
const LATE = ["child_process", "crypto", "dgram", "dns", "dns/promises", "http", "http2", "net", "readline"];
/** What a command may do without: it runs for a moment, and often only says what is wrong with its line. */
export const RARE_IN_COMMANDS = [...RARE, ...LATE];

/**
 * Lets a bundle have of Node's modules what it names, and of those that are rarely used nothing before it is used. An
 * `import` reads every export of a module, to have them all by name, and Node loads what many of them are made of as they
 * are read: with those of `node:http` comes a client of HTTP and WebSocket (undici) that no program of ours uses,
 * with those of `node:util` and `node:process` readers of arguments and writers of reports.
 */
export const builtins = (rare: readonly string[] = RARE): Plugin => ({
  name: "builtins",
  resolveId(source, _importer, { kind }) {
    // Which is for what calls `require` in the bundle, and comes before all of it.
    if (/^(?:node:)?module$/.test(source)) return null;
    if (!isBuiltin(source) || (kind !== "import-statement" && kind !== "require-call")) return null;
    const name = source.startsWith("node:") ? source : `node:${source}`;
    const form = rare.includes(name.slice("node:".length)) ? "rare" : kind === "require-call" ? "whole" : "names";
    return { id: `\0${form}:${name}`, moduleSideEffects: false };
  },
  load(id) {
    const [, form, name = ""] = /^\0(rare|whole|names):(.+)$/.exec(id) ?? [];
    if (form === undefined) return null;
    const builtin = `process.getBuiltinModule(${JSON.stringify(name)})`;
    if (form === "whole") return { code: `module.exports = ${builtin};`, moduleType: "js" };
    if (form === "rare") return whenRead(name, builtin);
    return [
      `const all = ${builtin};`,
      "export default all;",
      ...plainNames(name).map((key) => `export const ${key} = /* @__PURE__ */ (() => all.${key})();`),
    ].join("\n");
  },
});

/** A module that looks like Node's, and loads it when the first of its names is read, or when it is called itself. */
function whenRead(name: string, builtin: string): string {
  const callable = typeof builtinModule(name) === "function";
  return [
    "let all;",
    ...(callable ? [`module.exports = exports = (...given) => (all ??= ${builtin})(...given);`] : []),
    `for (const name of ${JSON.stringify(Object.keys(builtinModule(name)))}) {`,
    `  Object.defineProperty(exports, name, { enumerable: true, get: () => (all ??= ${builtin})[name] });`,
    "}",
  ].join("\n");
}

/** What is read by a getter is what is loaded by being read. */
function plainNames(name: string): string[] {
  const all = Object.entries(Object.getOwnPropertyDescriptors(builtinModule(name)));
  return all.filter(([key, { get }]) => get === undefined && key !== "default").map(([key]) => key);
}

const builtinModule = (name: string): object => process.getBuiltinModule(name) as object;
