import { flag, operand } from "../../context/dw.ts";
import type { RunLocal } from "../../grammar/command.ts";
import { loadDwSettings } from "../../context/settings.ts";
import { requireKey, showSettings } from "./settings-file.ts";

/** One setting, alone on its line; nothing where it has no value. */
export const run: RunLocal = async ({ output, configFile, ...places }, input) => {
  const settings = showSettings(await loadDwSettings(configFile, places));
  const key = requireKey(
    operand(input, 0),
    settings.map((setting) => setting.key),
  );
  const value = settings.find((setting) => setting.key === key)?.value ?? null;
  if (flag(input, "json")) return output.json(value);
  if (value !== null) output.line(value);
};
