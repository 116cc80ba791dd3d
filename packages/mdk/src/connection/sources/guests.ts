import type { LinkHandler, LinkMessage, LinkSession } from "@datawire/link";

/** Takes part in the links of a source beside the table. */
export interface LinkGuest {
  connected(link: LinkSession): void;
  disconnected(link: LinkSession): void;
  message(link: LinkSession, message: LinkMessage): void;
}

/** Hands what a link brings to several, in their order. */
export function joinHandlers(follower: LinkHandler, guests: readonly LinkGuest[]): LinkHandler {
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
      if (current !== null) for (const guest of guests) guest.message(current, message);
    },
  };
}
