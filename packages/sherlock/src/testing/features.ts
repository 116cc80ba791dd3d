import type { HaproxyFeatures } from "../core/model/haproxy-version.ts";

/** As HAProxy 2.6 and 2.8 have them. */
export const EVERY_FEATURE: HaproxyFeatures = {
  dynamicServers: true,
  sharedRules: true,
  hashBalance: true,
  systemCa: true,
  hostFromName: true,
  repeatsCut: true,
  violationsOption: false,
  logsLevels: true,
};
