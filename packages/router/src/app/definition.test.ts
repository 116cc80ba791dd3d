import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { formatProblem } from "@datawire/runtime";
import { expect, onTestFinished, test } from "vitest";
import { router } from "./definition.ts";

test("--check says where a data folder is named that can be none", async () => {
  const folder = await mkdtemp(join(tmpdir(), "router-check-"));
  onTestFinished(() => rm(folder, { recursive: true }));
  const config = join(folder, "router.yaml");
  await writeFile(config, `data_dir: ${config}/log\n`);
  const input = { config, directories: [], options: {}, args: [], env: { HOME: folder } };
  const problems = await router.check?.(await router.load(input), input);
  expect(problems?.map(formatProblem)).toEqual([`${config}:1:11: data_dir is "${config}/log": ${config} is a file`]);
});
