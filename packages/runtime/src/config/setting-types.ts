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

/** A port that others can reach, from 1 to 65535. */
export const portSetting = z.int().min(1).max(65_535).meta({ wanted: "a port from 1 to 65535" });

/** `HOST:PORT`. */
export const listenSetting = parsedBy(parseListenAddress, "HOST:PORT");

/** `HOST:PORT`, or `off`, which gives `null`; YAML 1.1 habits make some write `false`. */
export const listenOrOffSetting = z.union([
  parsedBy(parseListenAddressOrOff, "HOST:PORT or off"),
  z.literal(false).transform(() => null),
]);
