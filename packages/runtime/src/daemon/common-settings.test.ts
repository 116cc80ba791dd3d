import { expect, test } from "vitest";
import { z } from "zod";
import { commonVariables, givenFlags } from "./common-settings.ts";
import { loadSettings } from "../config/settings.ts";

const schema = z.object({
  directories: z.array(z.string()).default([]),
  token: z.string().optional(),
  data_dir: z.string(),
});
const load = (env: Record<string, string>, directories: readonly string[] = []) =>
  loadSettings({
    name: "watson",
    schema,
    env,
    variables: commonVariables,
    flags: givenFlags({ directories, options: { dataDir: "/data" } }, { "data-dir": ["data_dir"], zone: ["zone"] }),
    systemFolder: "/nonexistent",
  });

test("commonVariables give directories and token", async () => {
  const { value } = await load({ DATAWIRE_DIRECTORY: "//a/directory, //b/directory", DATAWIRE_TOKEN: "t" });
  expect(value).toMatchObject({ directories: ["//a/directory", "//b/directory"], token: "t" });
});

test("givenFlags() gives the directories of -d, which win over the variables, when there are any", async () => {
  const env = { DATAWIRE_DIRECTORY: "//a/directory" };
  expect((await load(env, ["//c/directory"])).value.directories).toEqual(["//c/directory"]);
  expect((await load(env)).value.directories).toEqual(["//a/directory"]);
});

test("givenFlags() gives what a flag sets, named as it is typed, and nothing for one that was left out", async () => {
  const { value, sources } = await load({});
  expect(value.data_dir).toBe("/data");
  expect(sources.get("data_dir")).toEqual({ from: "--data-dir", value: "/data" });
  expect(sources.has("zone")).toBe(false);
});
