import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { runInNewContext } from "node:vm";
import { type Plugin, rolldown } from "rolldown";
import { expect, test } from "vitest";
import { builtins, RARE_IN_COMMANDS } from "../packaging/builtins.ts";
import { partsOf } from "../packaging/parts.ts";
import { escapeBeyondAscii } from "../packaging/plain-text.ts";

const LOADED = "const loaded = (name) => process.moduleLoadList.some((one) => one.endsWith(`Module ${name}`));";

const PLAIN = `
  ${LOADED}
  import http, { createServer } from "node:http";
  import { STATUS_CODES } from "http";
  import { isDeepStrictEqual } from "node:util";
  console.log(http.createServer === createServer, STATUS_CODES[204], isDeepStrictEqual([1], [1]));
  console.log(loaded("internal/deps/undici/undici"), loaded("internal/util/parse_args/parse_args"));
`;

test("builtins gives a bundle what it names of a module of Node's, and loads nothing that it does not", async () => {
  expect(await said(PLAIN, [builtins()])).toBe("true No Content true\nfalse false\n");
  // Once Node has mended this, the plugin has less use.
  expect(await said(PLAIN, [])).toBe("true No Content true\ntrue true\n");
});

const RARE = `
  ${LOADED}
  import { connect, TLSSocket } from "node:tls";
  import tls from "tls";
  const zlib = require("zlib");
  console.log(loaded("tls"), loaded("zlib"));
  console.log(typeof connect, new TLSSocket(null) instanceof tls.TLSSocket, String(zlib.inflateSync(zlib.deflateSync("a"))));
  console.log(loaded("tls"), loaded("zlib"), process.getBuiltinModule("tls").connect === connect);
`;

test("builtins loads what is rarely used when it is used", async () => {
  expect(await said(RARE, [builtins()])).toBe("false false\nfunction true a\ntrue true true\n");
});

const MODULES = RARE_IN_COMMANDS.map((name) => `[require(${JSON.stringify(name)}), ${JSON.stringify(name)}]`).join();
const LIKE = `
  const shape = (one) => [typeof one, ...Object.keys(one).toSorted()].join();
  for (const [one, name] of [${MODULES}])
    if (shape(one) !== shape(process.getBuiltinModule(name))) console.log("not like " + name);
  import assert from "node:assert";
  import { strict } from "assert";
  assert(true);
  require("assert")(true);
  try { assert(false, "is called"); } catch (error) { console.log(error.message, error instanceof assert.AssertionError); }
  try { strict(false, "is strict"); } catch (error) { console.log(error.message); }
`;

test("what stands for a module that is rarely used looks like it, and can be called where it can", async () => {
  expect(await said(LIKE, [builtins(RARE_IN_COMMANDS)])).toBe("is called true\nis strict\n");
});

async function said(source: string, plugins: Plugin[]): Promise<string> {
  const folder = mkdtempSync(join(tmpdir(), "dstack-builtins-"));
  try {
    writeFileSync(join(folder, "source.js"), source);
    const build = await rolldown({ input: { main: join(folder, "source.js") }, platform: "node", plugins });
    await build.write({ dir: folder, format: "esm", entryFileNames: "[name].mjs" });
    await build.close();
    return execFileSync(process.execPath, [join(folder, "main.mjs")], { encoding: "utf8" });
  } finally {
    rmSync(folder, { recursive: true });
  }
}

const PARTS_SOURCES: Readonly<Record<string, string>> = {
  "main.js": `import { both } from "./both.js"; console.log(both); await import("./work.js");`,
  "both.js": `export const both = "both";`,
  "work.js": `import { both } from "./both.js"; import { one } from "./one.js"; import { two } from "./two.js"; import("./later.js").then(({ later }) => console.log(both, one, two, later));`,
  "one.js": `export const one = "one"; console.log("one is run");`,
  "two.js": `export const two = "two"; console.log("two is run");`,
  "later.js": `import { one } from "./one.js"; import { rare } from "./rare.js"; export const later = one + rare;`,
  "other.js": `import { two } from "./two.js"; import { rare } from "./rare.js"; console.log(two, rare);`,
  "rare.js": `export const rare = "rare";`,
};

test("partsOf() makes one file of what a part runs, and leaves what it does not, and what begins, where they are", async () => {
  const folder = mkdtempSync(join(tmpdir(), "dstack-parts-"));
  try {
    for (const [name, text] of Object.entries(PARTS_SOURCES)) writeFileSync(join(folder, name), text);
    const build = await rolldown({
      input: { main: join(folder, "main.js"), other: join(folder, "other.js") },
      preserveEntrySignatures: false,
    });
    const form = {
      dir: join(folder, "out"),
      format: "esm",
      entryFileNames: "[name].mjs",
      chunkFileNames: "[name].mjs",
    } as const;
    const parts = [
      { name: "begin", module: "/main.js" },
      { name: "work", module: "/work.js" },
    ];
    const groups = partsOf((await build.generate(form)).output, parts);
    const { output } = await build.write({ ...form, codeSplitting: { includeDependenciesRecursively: false, groups } });
    await build.close();
    const files = output.flatMap((file) =>
      file.type === "chunk" ? [file.moduleIds.map((id) => basename(id, ".js")).toSorted()] : [],
    );
    expect(files).toEqual(expect.arrayContaining([["both"], ["one", "two", "work"], ["rare"], ["main"]]));
    const said = execFileSync(process.execPath, [join(folder, "out/main.mjs")], { encoding: "utf8" });
    // Each module is run once, and none that nothing asks for.
    expect(said.split("\n").toSorted()).toEqual(["", "both", "both one two onerare", "one is run", "two is run"]);
    expect(() => partsOf(output, [{ name: "none", module: "/none.js" }])).toThrow("no file has /none.js");
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test("escapeBeyondAscii() means the same, in texts, templates and regular expressions", () => {
  const code = 'const name = "é"; [`${name}…😀`, /^[é…]+$/.test("é…"), /^😀$/u.test("😀"), "\u2028".length];';
  const escaped = escapeBeyondAscii(code);
  expect(escaped).toMatch(/^[\0-\x7f]*$/);
  expect(runInNewContext(escaped)).toEqual(["é…😀", true, true, 1]);
});
