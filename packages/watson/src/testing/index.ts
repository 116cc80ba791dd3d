// What a simulation makes a Watson of, apart from its checks and its files.
export type { Replicas } from "../model/directories.ts";
export type { Announcement } from "../monitor/monitor.ts";
export { Links } from "../registration/links.ts";
