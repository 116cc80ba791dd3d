import type { CatalogUpdate, LinkHandler, LinkMessage, LinkSession } from "@datawire/link";

/** Takes part in the links of a source beside the table. */
export interface LinkGuest {
  connected(link: LinkSession): void;
  disconnected(link: LinkSession): void;
  message(link: LinkSession, message: LinkMessage): void;
  /** The table is at another position, from the next call on. */
  followed?(link: LinkSession, update: CatalogUpdate): void;
}

/**
 * Hands what a link brings to several, in their order.
 * @param takeUpdate gives what a message has made of the table, once
 */
export function joinHandlers(
  follower: LinkHandler,
  guests: readonly LinkGuest[],
  takeUpdate: () => CatalogUpdate | null,
): LinkHandler {
  let current: LinkSession | null = null;
  return {
    connected(link) {
      current = link;
      follower.connected(link);
      for (const guest of guests) guest.connected(link);
    },
    disconnected(reason) {
      follower.disconnected(reason);
      if (current !== null) for (const guest of guests) guest.disconnected(current);
      current = null;
    },
    message(message) {
      follower.message(message);
      const update = takeUpdate();
      if (current === null) return;
      for (const guest of guests) {
        if (update !== null) guest.followed?.(current, update);
        guest.message(current, message);
      }
    },
  };
}
