export { createServiceSchema } from "./config/service-file.ts";
export { settingsSchema } from "./config/settings.ts";
export { createMetrics } from "./metrics.ts";
export { watson } from "./definition.ts";
