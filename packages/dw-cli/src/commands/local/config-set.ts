import { existsSync } from "node:fs";
import { mkdir, readFile, realpath, stat } from "node:fs/promises";
import { dirname, resolve } from "node:path";
import {
  type Path,
  check,
  ConfigError,
  fileError,
  setInYaml,
  systemErrorCode,
  writeFileAtomically,
} from "@datawire/runtime";
import { operand } from "../../context/dw.ts";
import type { RunLocal } from "../../grammar/command.ts";
import { misuse } from "../../context/operands.ts";
import { loadDwSettings, settingsSchema } from "../../context/settings.ts";
import { SETTING_KEYS, requireKey, settingsFile } from "./settings-file.ts";

/** Changes one setting in the settings file; what else is in there stays, comments too. */
export const run: RunLocal = async ({ output, env, configFile, systemFolder }, input) => {
  const key = requireKey(operand(input, 0), SETTING_KEYS);
  const path: Path = key.split(".");
  const value = valueOf(key, operand(input, 1));
  const nested = path.reduceRight<unknown>((inner, part) => ({ [part]: inner }), value);
  const checked = check(settingsSchema, nested);
  if (!checked.ok) throw misuse(checked.findings.map(({ message }) => message).join("; "));

  const file = settingsFile(configFile, env);
  const old = await readOld(file);
  const edited = setInYaml(old.text, file, { path, value });
  if (!edited.ok) throw new ConfigError(edited.problems);
  await mkdir(dirname(file), { recursive: true });
  // The file may hold a token: only its owner may read it.
  const mode = edited.has("token") ? 0o600 : old.mode;
  await writeFileAtomically(old.path, edited.text, { mode });
  output.note(`${key} is set in ${file}`);
  if (typeof value === "string" && isFileKey(key) && !existsSync(value)) output.note(`there is no ${value} yet`);
  const { sources } = await loadDwSettings(configFile, { env, systemFolder });
  const from = sources.get(key)?.from ?? file;
  if (!from.startsWith(`${file}:`)) output.note(`${from} gives ${key} too, and wins`);
};

/** Several addresses are one list; a file is found from wherever `dw` is called later. */
function valueOf(key: string, text: string): unknown {
  if (isFileKey(key)) return text === "" ? text : resolve(text);
  return text.includes(",") ? text.split(",").map((part) => part.trim()) : text;
}

const isFileKey = (key: string): boolean => key !== "directory";

/** What is to be replaced: of a link, the file that it leads to. */
async function readOld(file: string): Promise<{ readonly path: string; readonly text: string; readonly mode: number }> {
  try {
    const path = await realpath(file);
    return { path, text: await readFile(path, "utf8"), mode: (await stat(path)).mode & 0o777 };
  } catch (error) {
    if (systemErrorCode(error) === "ENOENT") return { path: file, text: "", mode: 0o644 };
    throw fileError("change", file, error);
  }
}
