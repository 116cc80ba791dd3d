import { DURATION_RULE, parseDuration } from "@datawire/protocol";
import { z } from "zod";
import { parseListenAddress, parseListenAddressOrOff } from "../listen-address.ts";

/**
 * A setting that a parser reads from text or a number. The parser throws; a message that begins with "Cannot " is
 * shown as it is, any other failure as "KEY is VALUE: wanted …".
 */
export function parsedBy<T>(parse: (text: string) => T, wanted: string) {
  return z
    .union([z.string(), z.number()])
    .meta({ wanted })
    .transform((input, context): T => {
      try {
        return parse(String(input));
      } catch (error) {
        const message = error instanceof Error && error.message.startsWith("Cannot ") ? error.message : wanted;
        context.addIssue({ code: "custom", message });
        return z.NEVER;
      }
    });
}

/** A text of a certain form; `wanted` tells it instead of the pattern, which few can read. */
export function textLike(pattern: RegExp, wanted: string) {
  return z.string().regex(pattern, wanted).meta({ wanted });
}

/** A duration, in milliseconds once parsed. */
export const durationSetting = z
  .union([z.string(), z.number()])
  .meta({ wanted: DURATION_RULE })
  .transform((input, context): number => {
    try {
      return parseDuration(input);
    } catch {
      context.addIssue({ code: "custom", message: DURATION_RULE });
      return z.NEVER;
    }
  });

const PORT_RULE = "a port from 1 to 65535";

/** A port that others can reach. */
export const portSetting = z.int(PORT_RULE).min(1, PORT_RULE).max(65_535, PORT_RULE).meta({ wanted: PORT_RULE });

/** `HOST:PORT`. */
export const listenSetting = parsedBy(parseListenAddress, "HOST:PORT");

/** `HOST:PORT`, or `off`, which gives `null`; so does `false`, which is what YAML 1.1 made of `off`. */
export const listenOrOffSetting = z.preprocess(
  (input) => (input === false ? "off" : input),
  parsedBy(parseListenAddressOrOff, "HOST:PORT or off"),
);
