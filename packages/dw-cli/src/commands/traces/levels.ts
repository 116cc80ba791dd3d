import type { LogLevelWord } from "@datawire/protocol";
import type { Style } from "../../core/text-table.ts";

/** How a level looks. */
export function styleOfLevel(level: LogLevelWord): Style {
  if (level === "CRITICAL" || level === "ERROR") return "bad";
  if (level === "WARN") return "warning";
  return level === "DEBUG" ? "faint" : "plain";
}
