import { readFileSync } from "node:fs";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { expect, test } from "vitest";
import type * as declared from "../packages/microserver/browser/datawire.d.ts";
import { buildBrowser } from "./build-browser.ts";

const DIST = join(import.meta.dirname, "../packages/microserver/dist");

test("buildBrowser() makes a module of at most 40 kB compressed, which has what its types say, and nothing of Node", async () => {
  await buildBrowser();
  const code = readFileSync(join(DIST, "datawire.js"), "utf8");
  expect(gzipSync(code).length).toBeLessThanOrEqual(40_000);
  expect(
    /\bfrom\s*["']|\bimport\s*\(|(?<!\.)\b(?:(?:Buffer|process)\.|(?:require|setImmediate)\()/.exec(code)?.[0],
  ).toBeUndefined();
  const library = (await import(`data:text/javascript,${encodeURIComponent(code)}`)) as typeof declared;
  const types = readFileSync(join(DIST, "datawire.d.ts"), "utf8");
  const promised = [...types.matchAll(/^export declare (?:class|function) (\w+)/gm)].map(([, name]) => name);
  expect(Object.keys(library).toSorted()).toEqual(promised.map(String).toSorted());
  await expect(library.connect({ url: "amqp://localhost" })).rejects.toMatchObject({ code: "invalid_argument" });
});

test("buildBrowser() builds nothing again that is there", async () => {
  expect(await buildBrowser()).toBe(false);
});
