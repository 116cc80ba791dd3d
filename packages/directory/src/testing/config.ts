import type { DirectoryConfig } from "../app/assemble.ts";

/** A directory at `//localhost/directory` with the defaults, which lets everyone in. */
export const TEST_CONFIG: DirectoryConfig = {
  address: "//localhost/directory",
  environment: "sandbox",
  protection: { auth: "none", tls: "off" },
  folder: "",
  names: [],
  console: { url: null, sessionMs: 43_200_000 },
  warnings: [],
  leaseMs: 15_000,
  promotionDelayMs: 30_000,
  guard: { share: 0.5, minimum: 10 },
  directories: ["localhost"],
};
