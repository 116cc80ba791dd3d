import { execFile } from "node:child_process";
import { createInterface } from "node:readline";
import { promisify } from "node:util";
import { expect, test } from "vitest";
import { freePorts } from "./free-ports.ts";

test("freePorts() gives no port twice, in several processes neither", async () => {
  const COUNT = 500;
  const script = `const { freePorts } = await import(${JSON.stringify(import.meta.resolve("./free-ports.ts"))});
    console.log(JSON.stringify(await freePorts(${COUNT})))
    await new Promise((resolve) => process.stdin.once("end", resolve).resume());`;
  const mine = await freePorts(COUNT);
  const run = promisify(execFile);
  const others = [1, 2].map(() => run(process.execPath, ["--input-type=module", "-e", script]));
  const printed = others.map(async ({ child: { stdout } }) => {
    if (stdout === null) throw new Error("Cannot read what the process prints");
    for await (const line of createInterface(stdout)) return JSON.parse(line) as number[];
    throw new Error("The process printed nothing");
  });
  const all = [...mine, ...(await Promise.all(printed)).flat()];
  for (const { child } of others) child.stdin?.end();
  await Promise.all(others);
  expect(all).toHaveLength(3 * COUNT);
  expect(new Set(all).size).toBe(all.length);
});
