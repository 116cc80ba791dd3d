/** How long a Watson that is out of sight keeps its instances. */
export const LEASE_MS = 3_000;

/** What all simulated directories are set to, apart from their names. */
export const DIRECTORY_CONFIG = {
  leaseMs: LEASE_MS,
  promotionDelayMs: 10_000,
  guard: { share: 0.5, minimum: 3 },
} as const;

/** Where directories listen. */
export const PORT = 5430;
