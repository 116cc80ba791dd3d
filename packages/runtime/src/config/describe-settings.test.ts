import { expect, test } from "vitest";
import { z } from "zod";
import { describeSettings } from "./describe-settings.ts";
import { durationSetting, listenSetting } from "./setting-types.ts";

test("describeSettings() lists every key with what may be written, what holds without it, and what it is for", () => {
  const schema = z.strictObject({
    lease: durationSetting.default(15_000).meta({ description: "How long." }),
    listen: listenSetting.optional().meta({ description: "Where.", otherwise: "loopback" }),
    guard: z.strictObject({ minimum: z.int().min(1).default(10) }).prefault({}),
    log: z.enum(["off", "json"]).default("off"),
    limits: z.record(z.string(), z.strictObject({ retries: z.int().optional() })).default({}),
    check: z.union([z.string(), z.strictObject({ path: z.string() })]).meta({ description: "A path, or more." }),
  });
  const lines = describeSettings(schema).map((one) =>
    [one.key, one.wanted, one.otherwise, one.description].join(" | "),
  );
  expect(lines).toEqual([
    "lease | a duration such as 500ms, 3s, 2m, 1h or 1d; a bare number is seconds | 15s | How long.",
    "listen | HOST:PORT | loopback | Where.",
    "guard.minimum | a whole number from 1 | 10 | ",
    "log | off, json | off | ",
    "limits.NAME.retries | a whole number |  | ",
    "check |  |  | A path, or more.",
    "check.path |  |  | ",
  ]);
});
