import { escapeArgument, quoteWord } from "../model/escape.ts";
import type { RequestKeys } from "../model/plan.ts";
import type { FetchView } from "./template-view.ts";

/** What is looked at in requests for conditions of routes. */
export function whenFetches({ whenHeaders, whenCookies, whenQueries }: RequestKeys): FetchView[] {
  const view =
    (fetch: string, letter: string) =>
    (name: string): FetchView => ({
      fetch: fetchOf(fetch, name),
      mark: quoteArgument(`|${letter}:${name}=`),
    });
  return [
    ...whenHeaders.map(view("req.fhdr", "h")),
    ...whenCookies.map(view("req.cook", "c")),
    ...whenQueries.map(view("url_param", "q")),
  ];
}

/** What is looked at in requests for the sticky keys of routes. */
export function stickyFetches({ stickyHeaders, stickyCookies, stickyIp }: RequestKeys): FetchView[] {
  return [
    ...stickyHeaders.map((name) => ({ fetch: fetchOf("req.fhdr", name), mark: quoteWord(`h:${name}`) })),
    ...stickyCookies.map((name) => ({ fetch: fetchOf("req.cook", name), mark: quoteWord(`c:${name}`) })),
    ...(stickyIp ? [{ fetch: "src", mark: "ip" }] : []),
  ];
}

/** A sample fetch with a name from elsewhere as its argument, quoted as one word of a line. */
export function fetchOf(fetch: string, name: string): string {
  return `${fetch}(${quoteArgument(name)})`;
}

/** An argument that holds anything: escaped for the argument, then for the line. */
function quoteArgument(text: string): string {
  const escaped = escapeArgument(text);
  return escaped === text && !text.includes("#") ? text : quoteWord(escaped);
}
