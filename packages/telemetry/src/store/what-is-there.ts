import { readdirSync } from "node:fs";
import { systemErrorCode } from "@datawire/runtime";
import type { HourFile } from "./hour-file.ts";

/** How many records a file holds; null where it is too damaged to say, or out of reach. */
export function recordsOf(file: HourFile): number | null {
  try {
    return file.records;
  } catch {
    return null;
  }
}

/** The names in a folder; none where it was taken away. */
export function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch (error) {
    if (systemErrorCode(error) === "ENOENT") return []; // taken away, which is told of elsewhere
    throw error;
  }
}
