import { join } from "node:path";
import { formatDirectoryAddress, nearest } from "@datawire/protocol";
import type { Env, Settings } from "@datawire/runtime";
import { misuse } from "../../context/operands.ts";
import type { DwSettings } from "../../context/settings.ts";

/** The keys that a person may set; a token is not kept in a file that others may read. */
export const SETTING_KEYS = ["directory", "token_file", "tls.ca", "tls.cert", "tls.key"] as const;

/** The file that `dw config set` writes: that of `-c`, else the user's own. */
export function settingsFile(configFile: string | undefined, env: Env): string {
  if (configFile !== undefined) return configFile;
  const folder = env["XDG_CONFIG_HOME"] || (env["HOME"] ? join(env["HOME"], ".config") : undefined);
  if (folder === undefined)
    throw new Error("Cannot find your settings: neither HOME nor XDG_CONFIG_HOME is set; name a file with -c");
  return join(folder, "datawire", "dw.yaml");
}

/** One setting as people read it. */
export interface ShownSetting {
  readonly key: string;
  /** Null for a setting that has no value. */
  readonly value: string | null;
  readonly from: string;
}

/** Every setting with where it comes from; secrets are masked. */
export function showSettings({ sources, value }: Settings<DwSettings>): ShownSetting[] {
  return [...sources].map(([key, source]) => ({
    key,
    value: key === "directory" ? value.directory.map(formatDirectoryAddress).join(", ") : text(source.value),
    from: source.from,
  }));
}

/** A key that exists; for any other, the error names the nearest one. */
export function requireKey(key: string, known: readonly string[]): string {
  if (known.includes(key)) return key;
  const near = nearest(key, known);
  const hint = near === undefined ? `wanted one of ${known.join(", ")}` : `did you mean ${near}?`;
  throw misuse(`Cannot find the setting ${JSON.stringify(key)}: ${hint}`);
}

function text(value: unknown): string | null {
  if (value === null || value === undefined) return null;
  return typeof value === "string" ? value : JSON.stringify(value);
}
