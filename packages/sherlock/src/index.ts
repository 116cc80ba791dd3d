export { sherlock } from "./definition.ts";
export { type HaproxyBinary, findHaproxy } from "./io/haproxy-binary.ts";
export { loadSherlockSettings, type SherlockSettings } from "./settings.ts";
