import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { runInNewContext } from "node:vm";
import { type Plugin, rolldown } from "rolldown";
import { expect, test } from "vitest";
import { builtins } from "../packaging/builtins.ts";
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

test("escapeBeyondAscii() means the same, in texts, templates and regular expressions", () => {
  const code = 'const name = "é"; [`${name}…😀`, /^[é…]+$/.test("é…"), /^😀$/u.test("😀"), "\u2028".length];';
  const escaped = escapeBeyondAscii(code);
  expect(escaped).toMatch(/^[\0-\x7f]*$/);
  expect(runInNewContext(escaped)).toEqual(["é…😀", true, true, 1]);
});
