import { toPattern } from "./match.ts";
import type { CommandItem } from "./page.ts";

export interface RanCommand {
  readonly item: CommandItem;
  readonly printed: string;
  readonly ok: boolean;
}

/** The first command that printed something else than its page shows, or null. */
export function describeFailure(page: string, results: readonly RanCommand[]): string | null {
  const failed = results.find(({ ok }) => !ok);
  if (failed === undefined) return null;
  const { line, command, output } = failed.item;
  const before = results.filter(({ item }) => item.output === null).map(({ printed }) => printed);
  return [
    `${page}:${line}: $ ${command}`,
    "--- shown",
    output,
    "--- printed",
    failed.printed,
    "--- before",
    ...before,
  ].join("\n");
}

/** The page with what its commands print now. */
export function updatePage(markdown: string, results: readonly RanCommand[]): string {
  const lines = markdown.split("\n");
  for (const { item, printed, ok } of results.toReversed()) {
    if (ok || item.output === null) continue;
    const output = toPattern(printed);
    lines.splice(item.at.from, item.at.to - item.at.from, ...(output === "" ? [] : output.split("\n")));
  }
  return lines.join("\n");
}
