import { join } from "node:path";
import type { Clock, Logger, ProblemBoard } from "@datawire/runtime";
import { noTelemetry, startTelemetry, type Telemetry, type ThreadSettings } from "@datawire/telemetry";
import type { TracesSettings } from "../config/traces-setting.ts";

interface TelemetryConfig {
  /** Of the directory; traces have one of their own below it. */
  readonly dataDir: string;
  /** The directory's own address. */
  readonly self: string;
  readonly settings: TracesSettings;
}

/** Opens the store of traces and logs that the settings choose; it waits for nothing. */
export function openTelemetry(
  { dataDir, self, settings }: TelemetryConfig,
  deps: { readonly clock: Clock; readonly log: Logger; readonly board: Pick<ProblemBoard, "set"> },
): Telemetry {
  if (settings.store === "off" && settings.forward === undefined) return noTelemetry;
  return startTelemetry({ folder: join(dataDir, "traces"), self, settings: threadSettings(settings) }, deps);
}

/** The settings that hold from the next request on. */
export const threadSettings = ({ store, size, age, rate, sample, forward }: TracesSettings): ThreadSettings => ({
  sizeBytes: size,
  ageMs: age,
  perSecond: rate,
  sample,
  keep: store === "embedded" && forward?.keep !== false,
  forward:
    forward === undefined
      ? null
      : { url: forward.url, headersFile: forward.headers_file ?? null, queueBytes: forward.queue },
});
