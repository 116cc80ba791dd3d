/** How the file of each HAProxy begins that is not ours, up to the rules of its frontend: peers have the same time-outs. */
export const haproxyHead = (port: number): string => `defaults
  mode http
  timeout connect 1s
  timeout client 30s
  timeout server 30s
frontend all
  bind 127.0.0.1:${port}
`;
