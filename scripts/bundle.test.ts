import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { runInNewContext } from "node:vm";
import { rolldown } from "rolldown";
import { expect, test } from "vitest";
import { namesAlone } from "../packaging/names-alone.ts";
import { escapeBeyondAscii } from "../packaging/plain-text.ts";

const SOURCE = `
  import http, { createServer } from "node:http";
  import { STATUS_CODES } from "http";
  const loaded = process.moduleLoadList.some((module) => module.includes("undici"));
  console.log(typeof createServer, http.createServer === createServer, STATUS_CODES[204], loaded);
`;

test("namesAlone() gives a bundle what it names of node:http, and loads nothing that it does not", async () => {
  const folder = mkdtempSync(join(tmpdir(), "dstack-names-"));
  try {
    writeFileSync(join(folder, "source.js"), SOURCE);
    const said = async (plugins: ReturnType<typeof namesAlone>[]): Promise<string> => {
      const build = await rolldown({ input: { main: join(folder, "source.js") }, platform: "node", plugins });
      await build.write({ dir: folder, format: "esm", entryFileNames: "[name].mjs" });
      await build.close();
      return execFileSync(process.execPath, [join(folder, "main.mjs")], { encoding: "utf8" });
    };
    expect(await said([namesAlone("node:http")])).toBe("function true No Content false\n");
    // Once Node has mended this, the plugin has no use.
    expect(await said([])).toBe("function true No Content true\n");
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
