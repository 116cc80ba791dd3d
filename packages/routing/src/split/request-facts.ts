import { ProtocolError, quoteShort } from "@datawire/protocol";
import type { RequestFacts } from "./explain.ts";

/**
 * What `--when` sees of the header lines of a request, `NAME: VALUE` each. This is the one rule for it, and HAProxy's:
 * of several lines of a name the last one counts, whole, without the blanks around it. Cookies part at `;` and `,`
 * outside of double quotes, which stay part of the value; blanks around names and values do not count, names that begin
 * with `$` and those without `=` are none, and of several cookies of a name, in all Cookie lines, the last one counts.
 * @throws ProtocolError `invalid_argument` for a line without a name.
 */
export function parseHeaderLines(lines: readonly string[]): Required<Pick<RequestFacts, "headers" | "cookies">> {
  const headers = new Map<string, string>();
  const cookies = new Map<string, string>();
  for (const line of lines) {
    const colon = line.indexOf(":");
    if (colon < 1) {
      throw new ProtocolError("invalid_argument", `Cannot use ${quoteShort(line)} as a header: wanted NAME: VALUE`);
    }
    const name = line.slice(0, colon).trim().toLowerCase();
    const value = trimBlanks(line.slice(colon + 1));
    headers.set(name, value);
    if (name === "cookie") for (const [cookie, text] of cookiesOf(value)) cookies.set(cookie, text);
  }
  return { headers: Object.fromEntries(headers), cookies: Object.fromEntries(cookies) };
}

function* cookiesOf(line: string): Generator<[name: string, value: string]> {
  for (let at = 0; at < line.length;) {
    const begin = at;
    let end = begin;
    while (end < line.length && !"=;,".includes(line.charAt(end))) end++;
    const hasValue = line.charAt(end) === "=";
    at = hasValue ? valueEnd(line, end + 1) : end;
    const name = trimBlanks(line.slice(begin, end));
    const value = trimBlanks(line.slice(end + 1, at));
    // HAProxy looks for no cookie where its name and `=` are all that is left of the line.
    const isLooked = begin + name.length + 1 < line.length;
    if (hasValue && isLooked && name !== "" && !name.startsWith("$")) yield [name, value];
    at++;
  }
}

/** Where a value ends: at `;` or `,`, but not within double quotes, where a backslash makes the next one plain. */
function valueEnd(line: string, from: number): number {
  let quoted = false;
  for (let at = from; at < line.length; at++) {
    const character = line.charAt(at);
    if (quoted && character === "\\") at++;
    else if (character === '"') quoted = !quoted;
    else if (!quoted && (character === ";" || character === ",")) return at;
  }
  return line.length;
}

function trimBlanks(text: string): string {
  return text.replace(/^[ \t]+|[ \t]+$/g, "");
}
