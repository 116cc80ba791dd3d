import { z } from "zod";

/**
 * The most buckets (`sectors` on the wire) that a table is divided into: a power of two, so that all smaller numbers of
 * buckets divide it.
 */
export const BUCKETS_MAX = 4_096;
/** Hexadecimal digits of one bucket in text. */
export const BUCKET_DIGITS = 8;

/** The result of `Catalog.hash` for the table that the subscriber sees. Left out by older peers. */
export const hash = z
  .string()
  .regex(/^[0-9a-f]{16}$/)
  .meta({ wanted: "16 hexadecimal digits" })
  .optional();

/** The result of `Catalog.buckets` for the same table. Left out by older peers. */
export const sectors = z
  .string()
  .regex(/^([0-9a-f]{8})*$/)
  .max(BUCKETS_MAX * BUCKET_DIGITS)
  .meta({ wanted: "8 hexadecimal digits for each sector" })
  .optional();
