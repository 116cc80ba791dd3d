export { directoryDaemon } from "./app/daemon.ts";
export { createMetrics } from "./app/metrics.ts";
export { settingsSchema } from "./config/settings.ts";
