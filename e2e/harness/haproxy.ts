import { findHaproxy, type HaproxyFeatures } from "@datawire/sherlock";

/** What the HAProxy in PATH can do, with which the tests run. */
export async function haproxyFeatures(): Promise<HaproxyFeatures> {
  return (await findHaproxy(null, process.env["PATH"] ?? "")).version.features;
}
