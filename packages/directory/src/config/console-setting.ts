import { durationFrom, parsedBy } from "@datawire/runtime";
import { z } from "zod";

/** Shorter would end while somebody reads. */
const SESSION_MS_MIN = 60_000;

/** An address in front of a proxy, ending in a slash, so that others are relative to it. */
const urlSetting = parsedBy((text) => {
  if (!URL.canParse(text)) throw new Error("it is no address");
  const url = new URL(text);
  if (url.protocol !== "http:" && url.protocol !== "https:") throw new Error("it is neither http nor https");
  if (url.search !== "" || url.hash !== "" || url.username !== "") throw new Error("it has more than host and path");
  // A cookie is told of its path, where these would begin another attribute.
  if (/[;,\s]/.test(url.pathname)) throw new Error("its path has signs that a cookie cannot");
  return url.pathname.endsWith("/") ? url.href : `${url.href}/`;
}, "an address such as https://ops.example.com/dstack/");

/** `console:` of directory.yaml. */
export const consoleSetting = z
  .union([
    z.enum(["off"]),
    z.literal(false).transform(() => "off" as const),
    z.strictObject({
      url: urlSetting.optional().meta({
        description: "Its address in front of a proxy: requests may come from there, and cookies are made out to it.",
        otherwise: "the directory's own",
      }),
      session: durationFrom(SESSION_MS_MIN)
        .default(12 * 3_600_000)
        .meta({ description: "How long somebody stays signed in.", otherwise: "12h" }),
    }),
  ])
  .prefault({})
  .meta({ wanted: "off, or { url: ADDRESS, session: DURATION }" });
