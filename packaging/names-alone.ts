import type { Plugin } from "rolldown";

/**
 * Lets a bundle have of a module of Node's what it names, and nothing else. An `import` reads every export of the
 * module, to have them all by name, and those of `node:http` include `WebSocket`: reading it loads a client of HTTP and
 * WebSocket (undici) that no program of ours uses, for 12 MB and some 50 ms of every start.
 */
export function namesAlone(module: string): Plugin {
  const id = `\0${module}`;
  const [, name = module] = module.split(":");
  return {
    name: "names-alone",
    resolveId(source, _importer, { kind }) {
      const isImported = kind === "import-statement" && (source === module || source === name);
      return isImported ? { id, moduleSideEffects: false } : null;
    },
    load(wanted) {
      if (wanted !== id) return null;
      const all = Object.entries(Object.getOwnPropertyDescriptors(process.getBuiltinModule(module) as object));
      // What is read by a getter is what is loaded by being read.
      const plain = all.filter(([, { get }]) => get === undefined).map(([key]) => key);
      return [
        `const all = process.getBuiltinModule(${JSON.stringify(module)});`,
        "export default all;",
        `export const { ${plain.join(", ")} } = all;`,
      ].join("\n");
    },
  };
}
