export { sherlock } from "./definition.ts";
export { loadSherlockSettings, type SherlockSettings } from "./settings.ts";
