export { directoryDaemon } from "./daemon.ts";
export { defaultDataDir } from "./settings.ts";
