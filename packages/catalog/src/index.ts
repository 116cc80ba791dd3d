export { DownTable } from "./catalog/down-table.ts";
export type { ServiceView, TableReader } from "./catalog/table.ts";
export { Table } from "./catalog/table.ts";
export type { Sectors } from "./catalog/table-sectors.ts";
export { countSectors, differingSectors, sectorsFor } from "./catalog/table-sectors.ts";
