export { createServiceSchema } from "./config/service-schema.ts";
export { loadWatsonSettings, settingsSchema, type WatsonSettings } from "./config/settings.ts";
export { createMetrics } from "./app/metrics.ts";
export { watson } from "./app/definition.ts";
export { runWatson, type WatsonSurroundings } from "./app/watson.ts";
