import { z } from "zod";

/**
 * The common name of certificates that a directory's authority signs for routers. Clients that verify a directory by
 * the authority alone, without names, refuse a certificate with it, so that no router can pose as a directory.
 */
export const ROUTER_COMMON_NAME = "Datawire router";

/** How many names a certificate may have. */
export const CERTIFICATE_NAMES_MAX = 64;

const pem = (max: number) => z.string().min(1).max(max);

/** A router asks the directory's authority for a certificate; its private key stays with it. */
export const certifySchema = z.object({
  type: z.literal("certify"),
  /** ECDSA P-256, as PEM (SubjectPublicKeyInfo). */
  publicKey: pem(2_000),
  /** The host names and IP addresses that the router is reached by, the one that it is known by first. */
  names: z.array(z.string().min(1).max(253)).min(1).max(CERTIFICATE_NAMES_MAX),
});

/** The answer to `certify`. */
export const certificateSchema = z.object({
  type: z.literal("certificate"),
  /** PEM: the certificate, and that of its authority. Null where there is none, for `reason`. */
  chain: pem(100_000).nullable(),
  reason: z.string().max(1_000).nullable(),
});
