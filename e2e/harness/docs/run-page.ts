import { setTimeout as sleep } from "node:timers/promises";
import { matches } from "./match.ts";
import { onlyReads } from "./only-reads.ts";
import type { CommandItem, FileItem, Page } from "./page.ts";
import { Reader } from "./reader.ts";
import type { RanCommand } from "./results.ts";

/** How long what a page shows may take to come true; readers are slower. */
const TRUE_WITHIN_MS = 120_000;
/** How long to wait before what is printed is taken for what the page should show. */
const SETTLED_WITHIN_MS = 1_200;
const STARTED_WITHIN_MS = 5_000;

/** Follows a page from top to bottom; stops at the first command that prints something else. */
export async function runPage(
  { items }: Page,
  { update }: { readonly update: boolean },
): Promise<readonly RanCommand[]> {
  if (items.every(({ kind }) => kind === "skipped")) return [];
  const reader = await Reader.arrive();
  const results: RanCommand[] = [];
  try {
    for (const item of items) {
      if (item.kind === "file") await saveFile(item, reader);
      if (item.kind !== "command") continue;
      const result = await runCommand(item, { reader, update });
      results.push(result);
      if (update && item.command.includes(" &")) await sleep(STARTED_WITHIN_MS);
      if (!result.ok && !update) break;
    }
    return results;
  } finally {
    await reader.leave();
  }
}

async function runCommand(
  item: CommandItem,
  { reader, update }: { readonly reader: Reader; readonly update: boolean },
): Promise<RanCommand> {
  const end = performance.now() + (update ? SETTLED_WITHIN_MS : TRUE_WITHIN_MS);
  // Asking is work too, and takes the time of what it waits for.
  for (let pauseMs = 200; ; pauseMs = Math.min(pauseMs * 1.5, 1_000)) {
    const printed = await reader.type(item.command);
    const ok = item.output === null || matches(item.output, printed);
    if (ok || !onlyReads(item.command) || performance.now() > end) return { item, printed, ok };
    await sleep(pauseMs);
  }
}

async function saveFile(item: FileItem, reader: Reader): Promise<void> {
  const { path, line } = item;
  const file = await reader.save(item);
  const program = /^\/etc\/datawire\/(directory|watson|sherlock|router)\.yaml$/.exec(path)?.[1];
  if (program !== undefined) return reader.check(program, ["--check", "-c", file], line);
  if (path.startsWith("/etc/datawire.d/")) await reader.check("watson", ["--check", "--services", file], line);
}
