import type { Probe } from "../model/belief.ts";
import type { HttpProbe } from "../model/service-definition.ts";
import { formatStatusRanges } from "../model/status-range.ts";
import { createMatcher } from "./matcher.ts";

/** What is read of a body; an expression has to match within it. */
export const BODY_BYTES_MAX = 64 * 1024;

/** What a judge gets of an answer. */
export interface Answer {
  readonly status: number;
  /** The beginning of the body; null where the check does not look at it. */
  readonly body: string | null;
}

/** Makes the judge of the answers to one HTTP check. */
export function createExpectation({ method, url, status, body }: HttpProbe): (answer: Answer) => Probe {
  const { pathname } = new URL(url);
  const wanted = formatStatusRanges(status);
  const matches = body === null ? null : createMatcher(body);
  return (answer) => {
    if (!status.some(([from, to]) => answer.status >= from && answer.status <= to)) {
      return { ok: false, reason: `${answer.status} from ${method} ${pathname}, wanted ${wanted}` };
    }
    if (matches === null || answer.body === null) return PASS;
    const problem = matches(answer.body);
    if (problem === null) return PASS;
    return { ok: false, reason: `the body of ${method} ${pathname} ${problem} /${body}/` };
  };
}

/** The outcome of a probe that found nothing wrong. */
export const PASS: Probe = { ok: true };
