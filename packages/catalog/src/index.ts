export { DownTable } from "./catalog/down-table.ts";
export type { ServiceView, CatalogReader } from "./catalog/catalog.ts";
export { Catalog } from "./catalog/catalog.ts";
export type { Buckets } from "./catalog/buckets.ts";
export { countBuckets, differingBuckets, bucketsFor } from "./catalog/buckets.ts";
