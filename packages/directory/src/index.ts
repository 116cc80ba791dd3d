export { directoryDaemon } from "./app/daemon.ts";
export { createMetrics } from "./app/metrics.ts";
export { defaultDataDir, settingsSchema } from "./config/settings.ts";
