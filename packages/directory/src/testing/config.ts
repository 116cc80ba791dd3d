import type { DirectoryConfig } from "../app/assemble.ts";

/** A directory at `//localhost/directory` with the defaults. */
export const TEST_CONFIG: DirectoryConfig = {
  address: "//localhost/directory",
  environment: "sandbox",
  warnings: [],
  leaseMs: 15_000,
  promotionDelayMs: 30_000,
  guard: { share: 0.5, minimum: 10 },
  directories: ["localhost"],
};
