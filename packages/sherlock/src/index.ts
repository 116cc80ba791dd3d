export { sherlock } from "./app/definition.ts";
export { type HaproxyFeatures, lacksOf, takesInstances } from "./core/model/haproxy-version.ts";
export { type HaproxyBinary, findHaproxy } from "./setup/haproxy-binary.ts";
export { findTlsFailure } from "./setup/tls-failure.ts";
export { precompileTemplate } from "./setup/template-compiler.ts";
export { createMetrics } from "./report/metrics.ts";
export { loadSherlockSettings, type SherlockSettings } from "./config/settings.ts";
export { settingsSchema } from "./config/settings-schema.ts";
export { runSherlock, type SherlockSurroundings } from "./app/sherlock.ts";
