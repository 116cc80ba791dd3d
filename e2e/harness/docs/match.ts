/**
 * Whether what a command printed is what the page shows. In a page, `…` stands for any text within a line, and on a line
 * of its own for any lines; `≈N` for a number that a count with the expected value N hits in all but one of 15,000 runs.
 * Blanks at the end of a line, and how many there are between two words, do not count: columns follow what varies.
 */
export function matches(shown: string, printed: string): boolean {
  const wanted = tidy(shown);
  const source = wanted
    .split("\n")
    .map((line) => (line === "…" ? ANY_LINES : [...line.matchAll(PARTS)].map(([part]) => patternOf(part)).join("")))
    .join("\n")
    .replaceAll(`${ANY_LINES}\n`, ANY_LINES);
  const found = new RegExp(`^${source}$`).exec(tidy(printed));
  if (found === null) return false;
  const counts = [...wanted.matchAll(/≈(\d+)/g)].map(([, count]) => Number(count));
  return counts.every((count, i) => Math.abs(Number(found[i + 1]) - count) <= 4 * Math.sqrt(count));
}

/** What the page should show: what was printed, with the parts replaced that are different every time. */
export function toPattern(printed: string): string {
  const varies = (part: string): string => "…".padEnd(part.length);
  return tidyEnds(
    printed
      .replace(/\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?Z/g, varies)
      .replace(/\S+@\S+ \(unverified\)/g, "… (unverified)")
      .replace(/dw1_[\w-]+/g, "dw1_…")
      .replace(/\b[0-9a-f]{8}\b/g, varies)
      .replace(/  (?:ready|warming)  version/g, "  …  version")
      .replace(/\bup \d+(?:\.\d+)?(?:ms|s|m|h)\b/g, "up …")
      .replace(/(?<=  )\d+(?:ms|s)(?=  |$)/gm, varies),
  );
}

const ANY_LINES = "(?:.*\n)*?";
const PARTS = /…| +|≈\d+|[^… ≈]+|≈/g;

function patternOf(part: string): string {
  if (part === "…") return ".*?";
  if (part.startsWith(" ")) return " +";
  if (/^≈\d/.test(part)) return "(\\d+)";
  return part.replace(/[.*+?^${}()|[\]\\/]/g, "\\$&");
}

/** Lines of a pattern of `…` take their line break with them, so that both texts end with one. */
function tidy(text: string): string {
  return `${tidyEnds(text)
    .split("\n")
    .map((line) => line.trim().replace(/ +/g, " "))
    .join("\n")}\n`;
}

const tidyEnds = (text: string): string => text.replace(/[ \t]+$/gm, "").trimEnd();
