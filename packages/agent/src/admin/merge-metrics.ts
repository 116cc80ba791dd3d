/** Families that tell of the process, which is one: the first part's stand for all. */
const OF_PROCESS = /^(?:process|nodejs)_/;

/**
 * The metrics of several parts of one process as one page of Prometheus' text format, in which a family may stand once.
 * Samples of a family that several parts have stand together, and are told apart by their labels.
 */
export function mergeMetrics(pages: readonly string[]): string {
  const families = new Map<string, string[]>();
  for (const page of pages) {
    for (const [name, lines] of readFamilies(page)) {
      const known = families.get(name);
      if (known === undefined) families.set(name, lines);
      else if (!OF_PROCESS.test(name)) known.push(...lines.filter((line) => !line.startsWith("#")));
    }
  }
  return [...families.values()].map((lines) => `${lines.join("\n")}\n`).join("\n");
}

/** Each family with its lines: its help, its type, its samples. */
function readFamilies(page: string): Map<string, string[]> {
  const families = new Map<string, string[]>();
  let lines: string[] = [];
  for (const line of page.split("\n")) {
    if (line === "") continue;
    const name = /^# HELP (\S+)/.exec(line)?.[1];
    if (name !== undefined) families.set(name, (lines = []));
    lines.push(line);
  }
  return families;
}
