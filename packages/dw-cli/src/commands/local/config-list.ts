import { cell } from "../../core/text-table.ts";
import { flag } from "../../context/dw.ts";
import type { RunLocal } from "../../grammar/command.ts";
import { loadDwSettings } from "../../context/settings.ts";
import { showSettings } from "./settings-file.ts";

/** Each setting with where it comes from. */
export const run: RunLocal = async ({ output, configFile, ...places }, input) => {
  const settings = showSettings(await loadDwSettings(configFile, places));
  if (flag(input, "json")) return output.json(settings);
  output.table({
    columns: [{ title: "KEY" }, { title: "VALUE", shrink: 2 }, { title: "FROM", shrink: 1 }],
    rows: settings.map(({ key, value, from }) => [
      key,
      value ?? "-",
      cell(from, from === "default" ? "faint" : "plain"),
    ]),
  });
};
