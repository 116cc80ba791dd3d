export { router } from "./app/definition.ts";
export { settingsSchema } from "./config/settings.ts";
export { createMetrics } from "./app/metrics.ts";
