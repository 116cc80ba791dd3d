export { createServiceSchema } from "./config/service-schema.ts";
export { settingsSchema } from "./config/settings.ts";
export { createMetrics } from "./app/metrics.ts";
export { watson } from "./app/definition.ts";
