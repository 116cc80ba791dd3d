// What a simulation makes a Watson of, apart from its checks and its files.
export type { Replicas } from "../core/directories.ts";
export type { Announcement } from "../core/monitor.ts";
export { Links } from "../links.ts";
export { Registrar } from "../registrar.ts";
