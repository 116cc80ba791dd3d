export { router } from "./app/definition.ts";
export { settingsSchema } from "./config/settings-schema.ts";
export { createMetrics } from "./app/metrics.ts";
