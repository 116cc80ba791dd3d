import { escapeArgument, escapeLogFormat, escapeRegex, quoteWord } from "../model/escape.ts";

/**
 * How one name of a cookie stands in the configuration: the maps say the rest. An application may have a cookie of that
 * very name: its value then follows ours in one cookie, as browsers keep but one.
 */
export interface SessionView {
  /** Condition that the cookie of the session is called so; null where there is no other name. */
  readonly is: string | null;
  /** The value of the cookie in a request; of several, the last. */
  readonly fetch: string;
  /** Our part of the first of several. */
  readonly first: string;
  /** How many a request has. */
  readonly count: string;
  /** What takes ours out of `Cookie`, behind another and before all others, and ours away from the application's own. */
  readonly behind: Replacement;
  readonly before: Replacement;
  readonly joined: Replacement;
  /** How `Set-Cookie` of the application's own begins, and what puts ours in front of its value. */
  readonly set: string;
  readonly join: Replacement;
}

interface Replacement {
  readonly regex: string;
  readonly by: string;
}

/** What `SessionIds` give, and nothing that an application would: a letter, a dot and 132 bits. */
const ID = String.raw`s\.[A-Za-z0-9_-]{22}`;

/** Between ours and the application's own value. */
const JOINT = "~";

/** The cookies of sessions as the template sees them. */
export function sessionViews(names: readonly string[]): SessionView[] {
  return names.map((name) => ({
    is: names.length === 1 ? null : `{ var(txn.jar) -m str -- ${quoteWord(name)} }`,
    ...textsOf(name),
  }));
}

function textsOf(name: string): Omit<SessionView, "is"> {
  const own = `${escapeRegex(name)}=`;
  const text = `${escapeLogFormat(name)}=`;
  const argument = escapeArgument(name);
  const first = String.raw`^(?:.*?;)?\s*${own}(${ID})(?:${JOINT}[^;]*)?\s*(?:;.*)?$`;
  return {
    fetch: quoteWord(`req.cook(${argument})`),
    // In quotes of its own, as parentheses and commas have a meaning there (manual, 7.3.1: regsub).
    first: quoteWord(String.raw`req.fhdr(cookie),regsub("${first}","\1")`),
    count: quoteWord(`req.cook_cnt(${argument})`),
    behind: { regex: quoteWord(String.raw`^(.*?);\s*${own}${ID}(?=\s*(?:;|$))(.*)$`), by: quoteWord(String.raw`\1\2`) },
    before: { regex: quoteWord(String.raw`^${own}${ID}\s*(?:;\s*(.*))?$`), by: quoteWord(String.raw`\1`) },
    joined: {
      regex: quoteWord(String.raw`^((?:.*;\s*)?)${own}${ID}${JOINT}(.*)$`),
      by: quoteWord(String.raw`\1${text}\2`),
    },
    set: quoteWord(`${name}=`),
    join: {
      regex: quoteWord(`^${own}(.*)$`),
      by: quoteWord(String.raw`${text}%[var(txn.mark)]${JOINT}\1`),
    },
  };
}
