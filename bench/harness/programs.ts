import { accessSync, constants } from "node:fs";
import { delimiter, join } from "node:path";

/** The packages of Debian, for programs that have another name there. */
const PACKAGES: Readonly<Partial<Record<string, string>>> = { nginx: "nginx-light", h2load: "nghttp2-client" };

// Daemons of the system are not in everybody's PATH.
process.env["PATH"] = [process.env["PATH"] ?? "", "/usr/sbin", "/usr/local/sbin"].join(delimiter);

/** Where a program is; null where it is neither in PATH nor where the system has its daemons. */
export function programPath(name: string): string | null {
  const folders = (process.env["PATH"] ?? "").split(delimiter);
  return folders.map((folder) => join(folder, name)).find(isExecutable) ?? null;
}

/** Ends the bench before its work begins, naming all programs that are missing. Exit code 78, as for settings. */
export function needPrograms(...names: readonly string[]): void {
  const missing = names.filter((name) => programPath(name) === null);
  if (missing.length === 0) return;
  const packages = missing.map((name) => PACKAGES[name] ?? name);
  process.stderr.write(
    `This bench needs ${missing.join(" and ")} in PATH (Debian: apt install ${packages.join(" ")})\n`,
  );
  process.exit(78);
}

export function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
