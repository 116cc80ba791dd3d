import { mkdir, readFile } from "node:fs/promises";
import { dirname } from "node:path";
import { type Path, check, systemErrorCode, writeFileAtomically } from "@datawire/runtime";
import { parseDocument } from "yaml";
import { operand } from "../dw.ts";
import type { RunLocal } from "../command.ts";
import { misuse } from "../operands.ts";
import { settingsSchema } from "../settings.ts";
import { SETTING_KEYS, requireKey, settingsFile } from "../settings-file.ts";

/** Changes one setting in the settings file; what else is in there stays, comments too. */
export const run: RunLocal = async ({ output, env, configFile }, input) => {
  const key = requireKey(operand(input, 0), SETTING_KEYS);
  const path: Path = key.split(".");
  const value = valueOf(key, operand(input, 1));
  const nested = path.reduceRight<unknown>((inner, part) => ({ [part]: inner }), value);
  const checked = check(settingsSchema, nested);
  if (!checked.ok) throw misuse(checked.findings.map(({ message }) => message).join("; "));

  const file = settingsFile(configFile, env);
  const document = parseDocument(await readOld(file));
  const [problem] = document.errors;
  if (problem !== undefined) throw new Error(`Cannot change ${file}: ${problem.message.split("\n", 1)[0]}`);
  document.setIn(path, value);
  await mkdir(dirname(file), { recursive: true });
  await writeFileAtomically(file, document.toString());
  output.note(`${key} is set in ${file}`);
};

/** Several addresses are one list. */
function valueOf(key: string, text: string): unknown {
  if (key !== "directory" || !text.includes(",")) return text;
  return text.split(",").map((part) => part.trim());
}

async function readOld(file: string): Promise<string> {
  try {
    return await readFile(file, "utf8");
  } catch (error) {
    if (systemErrorCode(error) === "ENOENT") return "";
    throw error;
  }
}
