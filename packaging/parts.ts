import type { CodeSplittingGroup, OutputAsset, OutputChunk } from "rolldown";

/** One file for all that a part loads at once, beside what the parts before it have loaded. */
export interface Part {
  /** Of the file. */
  readonly name: string;
  /**
   * The end of the path of the module that is imported when it is needed. Neither it nor what it imports awaits anything at
   * its top: what it waited for may be imported from the same file.
   */
  readonly module: string;
}

/**
 * What `dw` loads for every command, and what it loads for each that asks a directory. By itself a bundler makes a file of
 * each set of modules that some commands share and others do not, which are fifty files for `dw status`: looking for them
 * and joining them takes as long as what they do.
 */
export const DW_PARTS: readonly Part[] = [
  { name: "begin", module: "dw-cli/src/main.ts" },
  { name: "start", module: "dw-cli/src/app/run-process.ts" },
  { name: "connect", module: "dw-cli/src/app/connect.ts" },
  { name: "ask", module: "api/src/index.ts" },
];

/**
 * The files of a bundle, by what they are where nothing is said of them: the files that a part imports, and those that
 * they import, are run with it in any case.
 */
export function partsOf(output: readonly (OutputChunk | OutputAsset)[], parts: readonly Part[]): CodeSplittingGroup[] {
  const chunks = new Map(output.flatMap((file) => (file.type === "chunk" ? [[file.fileName, file] as const] : [])));
  const partOf = new Map<string, string>();
  for (const { name, module } of parts) {
    const first = [...chunks.values()].find(({ moduleIds }) => moduleIds.some((id) => id.endsWith(module)));
    if (first === undefined) throw new Error(`Cannot bundle the part ${name}: no file has ${module}`);
    const files = new Set([first.fileName]);
    for (const file of files) {
      const { imports = [], moduleIds = [], facadeModuleId, isEntry = false } = chunks.get(file) ?? {};
      for (const imported of imports) files.add(imported);
      // What the program begins with waits for all others, so none of these may have it beside itself.
      const moved = moduleIds.filter((id) => !partOf.has(id) && !(isEntry && id === facadeModuleId));
      for (const id of moved) partOf.set(id, name);
    }
  }
  return [{ name: (id) => partOf.get(id) ?? null, debugName: "part" }];
}
