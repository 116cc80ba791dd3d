export { sherlock } from "./definition.ts";
export { type HaproxyFeatures, lacksOf, takesInstances } from "./core/haproxy-version.ts";
export { type HaproxyBinary, findHaproxy } from "./io/haproxy-binary.ts";
export { findTlsFailure } from "./io/tls-failure.ts";
export { createMetrics } from "./metrics.ts";
export { loadSherlockSettings, type SherlockSettings } from "./settings.ts";
export { settingsSchema } from "./settings-schema.ts";
