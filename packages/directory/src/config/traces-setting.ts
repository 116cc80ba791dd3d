import { durationFrom, parsedBy, readableBy } from "@datawire/runtime";
import { z } from "zod";
import { shareSetting } from "./share-setting.ts";

const UNITS = new Map([
  ["", 1],
  ["kib", 1024],
  ["mib", 1024 ** 2],
  ["gib", 1024 ** 3],
  ["tib", 1024 ** 4],
  ["kb", 1_000],
  ["mb", 1_000 ** 2],
  ["gb", 1_000 ** 3],
  ["tb", 1_000 ** 4],
]);

/** Less holds no batch. */
const SIZE_BYTES_MIN = 1024 ** 2;

/** `2GiB`; a bare number is bytes. */
const sizeSetting = parsedBy((text) => {
  const [, number, unit = ""] = /^(\d+(?:\.\d+)?)\s*([a-z]*)$/i.exec(text.trim()) ?? [];
  const factor = UNITS.get(unit.toLowerCase());
  if (number === undefined || factor === undefined) throw new Error("it is no size");
  const bytes = Math.round(Number(number) * factor);
  if (bytes < SIZE_BYTES_MIN) throw new Error("it is less than 1MiB");
  return bytes;
}, "a size such as 512MiB or 2GiB");

/** `5000/s`. */
const rateSetting = parsedBy((text) => {
  const [, number] = /^(\d+(?:\.\d+)?)\s*(?:\/\s*s)?$/.exec(text.trim()) ?? [];
  if (number === undefined || Number(number) <= 0) throw new Error("it is no rate");
  return Number(number);
}, "spans and events a second, such as 5000/s");

/** `https://collector:4318`. */
const collectorSetting = readableBy((text) => {
  if (!/^https?:\/\//i.test(text)) throw new Error("it begins with neither http:// nor https://");
  if (!URL.canParse(text)) throw new Error("its host or port is malformed");
  const { username, password, search, hash } = new URL(text);
  if (username !== "" || password !== "")
    throw new Error("it holds a user name or a password, which belong into headers_file");
  if (search !== "" || hash !== "") throw new Error("it has a query or a fragment");
}, "the URL of a collector, such as https://collector:4318");

const AGE_MS_MIN = 60_000;

/** `traces:` of directory.yaml. */
export const tracesSetting = z
  .strictObject({
    store: z
      .union([z.enum(["embedded", "off"]), z.literal(false).transform(() => "off" as const)])
      .meta({ wanted: "embedded or off" })
      .default("embedded")
      .meta({ description: "Where traces and logs are kept: in files of their own below `data_dir`, or nowhere." }),
    size: sizeSetting
      .default(2 * 1024 ** 3)
      .meta({ description: "What they may take of the disk; the oldest hour goes first.", otherwise: "2GiB" }),
    age: durationFrom(AGE_MS_MIN)
      .default(3 * 86_400_000)
      .meta({ description: "How long they are kept." }),
    rate: rateSetting
      .default(5_000)
      .meta({ description: "Spans and events that are taken; more are asked to come again.", otherwise: "5000/s" }),
    sample: shareSetting
      .default(1)
      .meta({ description: "Which share of the traces is kept; those with errors always are.", otherwise: "100%" }),
    forward: z
      .strictObject({
        url: collectorSetting.meta({
          description: "Where to forward everything as it came: a collector that takes OTLP over HTTP.",
        }),
        headers_file: z.string().min(1).optional().meta({
          description: "File with lines `NAME: VALUE` that go with each request, such as a token.",
          otherwise: "none",
        }),
        keep: z.boolean().default(true).meta({ description: "Whether traces and logs are kept here too." }),
        queue: sizeSetting.default(256 * 1024 ** 2).meta({
          description: "What may wait on the disk for the collector; the oldest goes first.",
          otherwise: "256MiB",
        }),
      })
      .optional(),
  })
  .prefault({});

/** Which traces and logs are kept, and for how long; read. */
export type TracesSettings = z.output<typeof tracesSetting>;
