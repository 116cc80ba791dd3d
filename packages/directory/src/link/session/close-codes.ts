/** The codes that close a link, those of WebSocket (RFC 6455, section 7.4.1, and its registry at IANA). */
export const CLOSE = { goingAway: 1001, protocol: 1002, policy: 1008, failed: 1011, again: 1012 } as const;
