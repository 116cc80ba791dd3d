import { existsSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";

/** The links of a page to files that are not there, and to headings that those do not have. */
export function brokenLinks(file: string): string[] {
  const links = [...withoutCode(readFileSync(file, "utf8")).matchAll(/\]\(([^)\s]+)\)/g)].map(
    ([, link]) => link as string,
  );
  return links.filter((link) => !/^[a-z]+:/.test(link) && !leads(link, file));
}

function leads(link: string, from: string): boolean {
  const [path = "", anchor] = link.split("#");
  const target = path === "" ? from : join(dirname(from), path);
  return existsSync(target) && (anchor === undefined || anchors(target).has(anchor));
}

/** The headings of a page as GitHub names them in links. */
function anchors(file: string): Set<string> {
  const headings = withoutCode(readFileSync(file, "utf8")).matchAll(/^#+ (.*)$/gm);
  return new Set(
    [...headings].map(([, text]) =>
      (text as string)
        .toLowerCase()
        .replace(/[^\p{L}\p{N}\s_-]/gu, "")
        .replaceAll(" ", "-"),
    ),
  );
}

const withoutCode = (markdown: string): string => markdown.replace(/^```[^]*?^```/gm, "");
