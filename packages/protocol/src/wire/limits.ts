/** Versions of the link that this code speaks. */
export const LINK_VERSIONS = { min: 1, max: 1 } as const;

/** The largest frame that either side accepts, and the most entities that one frame of a snapshot carries. */
export const FRAME_BYTES_MAX = 4 * 1024 * 1024;
/** The most services, instances and route tables, together, in one part of a snapshot. */
export const SNAPSHOT_PART_ENTITIES = 2_000;
/** The most instances that one Watson may hold. */
export const REGISTRATIONS_MAX = 10_000;

/** 32 bytes as base64url. */
export const SESSION_KEY_PATTERN = /^[A-Za-z0-9_-]{43}$/;
