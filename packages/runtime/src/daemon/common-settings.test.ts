import { expect, test } from "vitest";
import { z } from "zod";
import { commonFlags, commonVariables } from "./common-settings.ts";
import { loadSettings } from "../config/settings.ts";

const schema = z.object({ directories: z.array(z.string()).default([]), token: z.string().optional() });
const load = (env: Record<string, string>, directories: readonly string[] = []) =>
  loadSettings({
    name: "watson",
    schema,
    env,
    variables: commonVariables,
    flags: commonFlags({ directories }),
    systemFolder: "/nonexistent",
  });

test("commonVariables give directories and token", async () => {
  const { value } = await load({ DATAWIRE_DIRECTORY: "//a/directory, //b/directory", DATAWIRE_TOKEN: "t" });
  expect(value).toEqual({ directories: ["//a/directory", "//b/directory"], token: "t" });
});

test("commonFlags() win over the variables, when there are any", async () => {
  const env = { DATAWIRE_DIRECTORY: "//a/directory" };
  expect((await load(env, ["//c/directory"])).value.directories).toEqual(["//c/directory"]);
  expect((await load(env)).value.directories).toEqual(["//a/directory"]);
});
