import {
  DURATION_RULE,
  formatDuration,
  parseDirectoryAddress,
  parseDuration,
  TIME_LIMIT_MAX_MS,
} from "@datawire/protocol";
import { z } from "zod";
import { refusal } from "./issue-message.ts";
import { parseListenAddress, parseListenAddressOrOff } from "../net/listen-address.ts";

/**
 * A setting that a parser reads from text. What the parser throws is shown: as it is where it begins with "Cannot ",
 * and otherwise as "KEY is VALUE: why; wanted …".
 */
export function parsedBy<T>(parse: (text: string) => T, wanted: string) {
  return z
    .union([z.string(), z.number()])
    .meta({ wanted })
    .transform((input, context): T => {
      try {
        return parse(String(input));
      } catch (error) {
        context.addIssue(refusal(error, wanted));
        return z.NEVER;
      }
    });
}

/** A text that a parser accepts, but that is kept as text. What the parser throws is shown as by `parsedBy`. */
export function readableBy(parse: (text: string) => unknown, wanted: string) {
  return z
    .string()
    .meta({ wanted })
    .superRefine((text, context) => {
      try {
        parse(text);
      } catch (error) {
        context.addIssue(refusal(error, wanted));
      }
    });
}

/** A text of a certain form; messages show `wanted` and not the pattern, which few can read. */
export function textLike(pattern: RegExp, wanted: string) {
  return z
    .string()
    .meta({ wanted })
    .superRefine((text, context) => {
      if (pattern.test(text)) return;
      const why = oddity(text, pattern);
      context.addIssue(why === null ? { code: "custom", message: wanted } : refusal(why, wanted));
    });
}

/**
 * What is most likely wrong with a text that a pattern refuses, such as a blank or a quote, where `wanted` does not
 * show it.
 */
function oddity(text: string, pattern: RegExp): string | null {
  if (text === "") return "it is empty";
  if (text !== text.trim() && pattern.test(text.trim())) return "a blank or a line break stands around it";
  if (pattern.test(text.toLowerCase())) return "it has capitals";
  if (pattern.test(text.toUpperCase())) return "it has small letters";
  if (/^\w+:\/\//.test(text)) return "it is a URL";
  const odd = /[\s\p{C}]|[^\0-\x7f]/u.exec(text)?.[0];
  return odd === undefined ? null : `it has ${/\s/.test(odd) ? "a blank" : JSON.stringify(odd)} in it`;
}

/** A duration, in milliseconds once parsed. */
export const durationSetting = parsedBy(parseDuration, DURATION_RULE);

/** A duration of at least so many milliseconds, and no longer than a timer can count. */
export function durationFrom(msMin: number) {
  const wanted = `a duration from ${formatDuration(msMin)} to 24d`;
  return durationSetting
    .refine((ms) => ms >= msMin && ms <= TIME_LIMIT_MAX_MS, { error: wanted })
    .meta({ wanted: DURATION_RULE });
}

const PORT_RULE = "a port from 1 to 65535";

/** A port number other than 0. */
export const portSetting = z.int(PORT_RULE).min(1, PORT_RULE).max(65_535, PORT_RULE).meta({ wanted: PORT_RULE });

/** The address of a directory: `//HOST[:PORT]/directory`. */
export const directorySetting = parsedBy(
  parseDirectoryAddress,
  "the address of a directory such as //localhost/directory",
);

/** `HOST:PORT`. */
export const listenSetting = parsedBy(parseListenAddress, "HOST:PORT");

/** `HOST:PORT`, or `off`, which gives `null`; so does `false`, which is what YAML 1.1 made of `off`. */
export const listenOrOffSetting = z
  .union([z.literal(false).transform(() => null), parsedBy(parseListenAddressOrOff, "HOST:PORT or off")])
  .meta({ wanted: "HOST:PORT or off" });
