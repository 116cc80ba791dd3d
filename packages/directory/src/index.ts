export { directoryDaemon } from "./daemon.ts";
export { createMetrics } from "./metrics.ts";
export { defaultDataDir, settingsSchema } from "./settings.ts";
