export { directoryDaemon } from "./daemon.ts";
